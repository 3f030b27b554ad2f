import { describe, expect, it } from 'vitest';
import { meanAndDeviation, wilsonInterval } from './statistics.ts';

describe('wilsonInterval', () => {
  // The examples of Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, score interval.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%i of %i', (correct, total, low, high) => {
    const interval = wilsonInterval({ correct, total }, 1.959964);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  it('stays within 0 and 1, and knows nothing of nothing', () => {
    expect(wilsonInterval({ correct: 10, total: 10 })[1]).toBe(1);
    expect(wilsonInterval({ correct: 0, total: 0 })).toEqual([0, 1]);
  });
});

describe('meanAndDeviation', () => {
  it('divides by n - 1', () => {
    expect(meanAndDeviation([1, 2, 3])).toEqual({ mean: 2, deviation: 1 });
    expect(meanAndDeviation([5]).deviation).toBeNaN();
  });
});
