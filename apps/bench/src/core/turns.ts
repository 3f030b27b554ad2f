import { Rng } from '@saccade/tensor-ops';
import type { Bench } from './comparison.ts';
import { type Entrant, failed, timed, type Untimed, wrong } from './entrant.ts';
import type { MeasureContext } from './measureOptions.ts';

/**
 * All entrants once a round, each round in another order, so that nobody always runs after the same neighbour. A first
 * round is not timed: what was done to others since an entrant ran last has cooled its caches. After the last one, every
 * result is looked at again, since a kernel may be right for as long as its memory is fresh.
 *
 * @returns why some of them have no time after all
 * @throws `signal.reason` when aborted
 */
export async function takeTurns(entrants: readonly Entrant[], context: MeasureContext): Promise<Map<Entrant, Untimed>> {
  const { bench, options, signal } = context;
  const out = new Map<Entrant, Untimed>();
  if (entrants.length === 0) return out;
  const attempt = async (entrant: Entrant, action: () => Promise<Untimed | undefined>) => {
    signal?.throwIfAborted();
    if (out.has(entrant)) return;
    const reason = await action().catch(failed);
    if (reason !== undefined) out.set(entrant, reason);
  };
  const rng = new Rng(options.seed);
  const longest = Math.max(...entrants.map(({ estimateMs }) => estimateMs), 1e-3);
  const wanted = Math.ceil(options.steadyMs / longest);
  const rounds = Math.min(Math.max(options.samples, wanted), options.mostSamples);
  for (const entrant of entrants) await attempt(entrant, () => warm(entrant));
  for (let round = 0; round < rounds; round++) {
    context.onProgress?.({ phase: 'measure', round, rounds });
    for (const place of rng.shuffle(entrants.map((_, place) => place))) {
      const entrant = entrants[place] as Entrant;
      await attempt(entrant, () => sample(entrant, bench));
    }
  }
  context.onProgress?.({ phase: 'measure', round: rounds, rounds });
  for (const entrant of entrants) await attempt(entrant, async () => wrong(await entrant.contender.check()));
  return out;
}

async function warm({ contender }: Entrant): Promise<undefined> {
  await contender.run();
}

async function sample(entrant: Entrant, bench: Bench): Promise<undefined> {
  const { contender, runsPerSample } = entrant;
  const { wallMs, cpuMs, quantities } = await timed(contender, bench, runsPerSample);
  entrant.wall.push(wallMs);
  if (cpuMs !== undefined) entrant.cpu.push(cpuMs);
  if (quantities !== undefined) entrant.quantities.push(quantities);
  if (contender.dispatch === undefined || bench.gpuTime === undefined) return;
  // As many runs as the clock needs: timestamps are rounded too.
  const gpuMs = await bench.gpuTime(() => {
    for (let run = 0; run < runsPerSample; run++) contender.dispatch?.();
  });
  entrant.gpu.push(gpuMs / runsPerSample);
}
