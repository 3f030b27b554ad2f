import { Rng } from '@saccade/tensor-ops';
import type { Bench } from './comparison.ts';
import { type Entrant, failed, timed, type Untimed, wrong } from './entrant.ts';
import type { MeasureContext } from './measureOptions.ts';
import { pairedRatio, spread } from './statistics.ts';

/**
 * All entrants once a round, each round in another order, so that nobody always runs after the same neighbour, until the
 * least number of rounds is done and ratios to the baseline (else times) are known well enough. A first round is not timed: what was done to others since an entrant ran last has cooled its caches. After the last one, every
 * result is looked at again, since a kernel may be right for as long as its memory is fresh.
 *
 * @param baseline one of the entrants
 * @returns why some of them have no time after all
 * @throws `signal.reason` when aborted
 */
export async function takeTurns(
  entrants: readonly Entrant[],
  baseline: Entrant | undefined,
  context: MeasureContext,
): Promise<Map<Entrant, Untimed>> {
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
  const least = Math.min(Math.max(options.samples, wanted), options.mostSamples);
  for (const entrant of entrants) await attempt(entrant, () => warm(entrant));
  const began = bench.now();
  const enough = () => {
    const timed = entrants.filter((entrant) => !out.has(entrant));
    return bench.now() - began > options.patienceMs || timed.every((one) => precise(one, baseline, options.precision));
  };
  let round = 0;
  for (; round < least || (round < options.mostSamples && !enough()); round++) {
    context.onProgress?.({ phase: 'measure', round, rounds: Math.max(least, round + 1) });
    for (const place of rng.shuffle(entrants.map((_, place) => place))) {
      const entrant = entrants[place] as Entrant;
      await attempt(entrant, () => sample(entrant, bench));
    }
  }
  context.onProgress?.({ phase: 'measure', round, rounds: round });
  for (const entrant of entrants) await attempt(entrant, async () => wrong(await entrant.contender.check()));
  return out;
}

/** Whether the interval of what a row will say is narrow enough. */
function precise({ wall }: Entrant, baseline: Entrant | undefined, precision: number): boolean {
  const paired = baseline !== undefined && baseline.wall.length === wall.length;
  const { value, interval } = paired
    ? pairedRatio(wall, baseline.wall)
    : { ...spread(wall), value: spread(wall).median };
  return interval[1] - interval[0] <= 2 * precision * value;
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
