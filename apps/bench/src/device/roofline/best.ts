import type { Bench } from '../../core/comparison.ts';

/** Work that can be made longer. */
export interface Growing {
  /** Does it `times` over, to the end. */
  run(times: number): Promise<void> | void;
  readonly most: number;
}

/** A clock that is rounded to 0.1 ms, and the latency of a dispatch, should not show in a rate. */
const longEnoughMs = 40;
const repeats = 6;

/** The least milliseconds that one time of the work took, in runs long enough for the clock, after a warm-up. */
export async function leastMs(bench: Bench, { run, most }: Growing): Promise<number> {
  let [times, tookMs] = [1, await timed(bench, () => run(1))];
  while (tookMs < longEnoughMs && times < most) {
    times = Math.min(times * 2, most);
    tookMs = await timed(bench, () => run(times));
  }
  // The last run counts too, unless it was the first, which compiles.
  let least = times === 1 ? Number.POSITIVE_INFINITY : tookMs;
  for (let repeat = 1; repeat < repeats; repeat++) least = Math.min(least, await timed(bench, () => run(times)));
  return least / times;
}

async function timed(bench: Bench, run: () => Promise<void> | void): Promise<number> {
  const began = bench.now();
  await run();
  return bench.now() - began;
}
