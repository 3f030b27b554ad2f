import { linearRegression, median, quantile } from 'simple-statistics';
import type { Ratio, Spread } from './row.ts';

export { median };

/** Median, quartiles and a 95 % interval of the median. */
export function spread(samples: readonly number[]): Spread {
  const values = [...samples];
  return {
    median: median(values),
    quartiles: [quantile(values, 0.25), quantile(values, 0.75)],
    interval: medianInterval(samples),
  };
}

/**
 * The median of a / b over rounds in which both took their turn, so that what slowed the machine down for a while slowed
 * both, with a 95 % interval.
 */
export function pairedRatio(a: readonly number[], b: readonly number[]): Ratio {
  const quotients = a.map((value, round) => value / (b[round] as number));
  return { value: median(quotients), interval: medianInterval(quotients) };
}

/**
 * Two order statistics between which the true median lies with at least 95 % confidence, whatever the distribution: the
 * number of samples below it is binomial with p = 1/2. With fewer than 6 samples, all there are.
 */
export function medianInterval(samples: readonly number[]): readonly [low: number, high: number] {
  const sorted = [...samples].sort((a, b) => a - b);
  const cut = samplesToCut(sorted.length);
  return [sorted[cut] as number, sorted[sorted.length - 1 - cut] as number];
}

/** How many samples at each end lie outside of the interval: the largest k with P(X <= k) <= 0.025, X ~ Bin(n, 1/2). */
function samplesToCut(count: number): number {
  let probability = 0.5 ** count;
  let upTo = probability;
  let cut = 0;
  while (cut < Math.floor((count - 1) / 2)) {
    probability *= (count - cut) / (cut + 1);
    upTo += probability;
    if (upTo > 0.025) break;
    cut++;
  }
  return cut;
}

/** The slope of the straight line through (log x, log y) with the least squares. */
export function logSlope(points: readonly (readonly [x: number, y: number])[]): number {
  return linearRegression(points.map(([x, y]) => [Math.log(x), Math.log(y)])).m;
}
