import type { Bench } from '../../core/comparison.ts';

/** Work that can be made longer. */
export interface Growing {
  /** Does it `times` over, to the end. */
  run(times: number): Promise<void> | void;
  readonly most: number;
}

/** Long enough for a clock that is rounded to 0.1 ms; short enough that some samples are not interrupted on a busy machine. */
const shortestSampleMs = 8;
const samplingMs = 250;
const fewestSamples = 6;

/** The least milliseconds that one time of the work took, in many short samples, after a warm-up. */
export async function leastMs(bench: Bench, { run, most }: Growing): Promise<number> {
  await run(1); // compiles, and touches memory for the first time
  let [times, samples, least] = [1, 0, Number.POSITIVE_INFINITY];
  let end = bench.now() + samplingMs;
  while (samples < fewestSamples || bench.now() < end) {
    const began = bench.now();
    await run(times);
    const tookMs = bench.now() - began;
    if (tookMs < shortestSampleMs && times < most) {
      // What came before was as short, unless something interrupted it.
      times = Math.min(times * 2, most);
      [samples, least, end] = [0, Number.POSITIVE_INFINITY, bench.now() + samplingMs];
    } else {
      least = Math.min(least, tookMs / times);
      samples++;
    }
  }
  return least;
}
