import { describe, expect, it } from 'vitest';
import { compareValues } from './check.ts';

describe('compareValues', () => {
  const compare = (actual: number[][], expected: number[][]) => compareValues('a test', actual, expected, 1e-5).error;

  it('gives the largest deviation by the largest magnitude expected', () => {
    expect(compareValues('a golden', [[1, -8.4]], [[1, -8]], 1e-5)).toEqual({
      against: 'a golden',
      error: expect.closeTo(0.05, 12),
      tolerance: 1e-5,
    });
  });

  it('measures each tensor by itself, so that a large one hides nothing', () => {
    expect(compare([[1000], [0.02]], [[1000], [0.01]])).toBeCloseTo(1, 12);
  });

  it('compares with zeros absolutely', () => {
    expect(compare([[0, 1e-3]], [[0, 0]])).toBeCloseTo(1e-3, 12);
  });

  it('finds nothing where all is equal, or empty', () => {
    expect(compare([[1, 2]], [[1, 2]])).toBe(0);
    expect(compare([[]], [[]])).toBe(0);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('never lets %f pass', (odd) => {
    for (const error of [
      compare([[1, odd]], [[1, 2]]),
      compare([[1, 2]], [[1, odd]]),
      compare([[1, odd]], [[1, odd]]),
    ]) {
      expect(error).toBe(Number.MAX_VALUE);
      expect(JSON.parse(JSON.stringify(error))).toBe(Number.MAX_VALUE);
    }
  });

  it('refuses other tensors than expected', () => {
    expect(() => compare([[1, 2]], [[1]])).toThrow('the result has tensors of 2 numbers, a test has 1');
    expect(() => compare([[1]], [[1], [1]])).toThrow('tensors of 1 numbers, a test has 1, 1');
  });
});
