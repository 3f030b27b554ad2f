import type { Bench, Comparison, Contender, Prepared } from './comparison.ts';
import { type Entrant, enter } from './entrant.ts';
import { measuredRow } from './measuredRow.ts';
import type { MeasureContext } from './measureOptions.ts';
import type { Row } from './row.ts';
import { takeTurns } from './turns.ts';

export { MEASURE, type MeasureContext, type MeasureOptions, type MeasureProgress } from './measureOptions.ts';

/**
 * Measures one comparison: makes its tensors, checks every contender's result, and times those that are right, in turn, in
 * an order drawn anew for each round.
 *
 * A contender whose result is wrong, that throws, or that is too slow for the budget has a row that says so and no time.
 *
 * @returns a row for each contender and for each that is absent
 * @throws `signal.reason` when aborted
 */
export async function measureComparison(comparison: Comparison, context: MeasureContext): Promise<Row[]> {
  context.onProgress?.({ phase: 'prepare' });
  const prepared = await comparison.prepare(context.bench);
  try {
    return await measurePrepared(comparison, prepared, context);
  } finally {
    await prepared.dispose();
  }
}

async function measurePrepared(comparison: Comparison, prepared: Prepared, context: MeasureContext): Promise<Row[]> {
  const rows: Row[] = (prepared.absent ?? []).map(({ name, reason, status = 'absent', role = 'peer' }) => ({
    ...frame(comparison, context.bench, { name, role }),
    status,
    reason,
  }));
  const entrants: Entrant[] = [];
  for (const contender of prepared.contenders) {
    context.signal?.throwIfAborted();
    context.onProgress?.({ phase: 'check', contender: contender.name });
    const entered = await enter(contender, context);
    if ('contender' in entered) entrants.push(entered);
    else rows.push({ ...frame(comparison, context.bench, contender), ...entered });
  }
  const named = entrants.find(({ contender }) => contender.name === prepared.baseline);
  // Where the baseline has no time (too slow for the budget), ratios to another one still say something; rows name it.
  const chosen = named ?? entrants.find(({ contender }) => contender.role === 'saccade') ?? entrants[0];
  const out = await takeTurns(entrants, chosen, context);
  const baseline = chosen !== undefined && !out.has(chosen) ? chosen : undefined;
  for (const entrant of entrants) {
    const result = out.get(entrant) ?? measuredRow(entrant, baseline, context.roofline);
    rows.push({ ...frame(comparison, context.bench, entrant.contender), ...result });
  }
  return rows;
}

/** What stands in every row. */
function frame(comparison: Comparison, bench: Bench, contender: Pick<Contender, 'name' | 'role' | 'engine'>) {
  const { suite, id, parameters } = comparison;
  return {
    kind: 'row' as const,
    suite,
    comparison: id,
    parameters,
    contender: contender.name,
    role: contender.role,
    ...(contender.engine !== undefined && { engine: contender.engine }),
    backend: bench.backend,
    softwareGpu: bench.softwareGpu,
  };
}
