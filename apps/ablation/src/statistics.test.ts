import { describe, expect, it } from 'vitest';
import { meanInterval, tQuantile } from './statistics.ts';

describe('tQuantile', () => {
  // Printed tables of Student's t, two-sided.
  it.each([
    [0.95, 1, 12.706],
    [0.95, 2, 4.303],
    [0.95, 3, 3.182],
    [0.95, 4, 2.776],
    [0.95, 9, 2.262],
    [0.95, 30, 2.042],
    [0.99, 4, 4.604],
    [0.9, 5, 2.015],
  ])('is at %f for %i degrees of freedom what the tables print', (confidence, freedom, expected) => {
    expect(tQuantile(confidence, freedom)).toBeCloseTo(expected, 3);
  });

  it('tends to the normal quantile', () => expect(tQuantile(0.95, 100_000)).toBeCloseTo(1.96, 3));
});

describe('meanInterval', () => {
  it('is what a hand computes', () => {
    // Mean 6; squares 16 + 4 + 0 + 4 + 16 = 40, variance 10, standard error sqrt(2), t 2.77645.
    const { mean, low, high } = meanInterval([2, 4, 6, 8, 10]);
    expect(mean).toBe(6);
    expect(low).toBeCloseTo(6 - 2.77645 * Math.SQRT2, 4);
    expect(high).toBeCloseTo(6 + 2.77645 * Math.SQRT2, 4);
  });

  it('has no width where all values are equal', () =>
    expect(meanInterval([3, 3, 3])).toEqual({ mean: 3, low: 3, high: 3 }));

  it('claims no interval from one value', () =>
    expect(meanInterval([0.5])).toEqual({ mean: 0.5, low: Number.NaN, high: Number.NaN }));
});
