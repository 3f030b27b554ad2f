import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { ConfigError, SaccadeError, ShapeError } from './errors.ts';
import { assertInteger, assertShape, formatShape, product, sizeAt } from './shape.ts';

/** All that assertShape looks at. */
const shaped = (...shape: number[]) => ({ shape }) as unknown as Tensor;

describe('assertShape', () => {
  it('accepts the sizes of the pattern, any size for a name', () => {
    assertShape('x', shaped(2, 3), [2, 3]);
    assertShape('x', shaped(7, 3), ['B', 3]);
    assertShape('x', shaped(), []);
  });

  it('says which argument, what was expected, what came and what to do', () => {
    const attempt = () => assertShape('keys', shaped(1, 4), ['B', 'N', 12], 'Split the heads first.');
    expect(attempt).toThrow(SaccadeError);
    expect(attempt).toThrow(ShapeError);
    expect(attempt).toThrow('keys: expected shape [B,N,12], got [1,4]. Split the heads first.');
    expect(() => assertShape('x', shaped(3), [2])).toThrow('x: expected shape [2], got [3].');
  });
});

describe('assertInteger', () => {
  it('accepts integers from the least on, and nothing else', () => {
    assertInteger('stride', 1, 1);
    assertInteger('padding', 0, 0);
    for (const value of [0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => assertInteger('stride', value, 1)).toThrow(ConfigError);
    }
    expect(() => assertInteger('stride', 0, 1)).toThrow('stride: expected an integer >= 1, got 0.');
  });
});

describe('formatShape, product, sizeAt', () => {
  it('write, multiply and look up sizes', () => {
    expect(formatShape([2, 'N'])).toBe('[2,N]');
    expect([product([]), product([2, 3, 0]), product([2, 3])]).toEqual([1, 0, 6]);
    expect([sizeAt([4, 5], 0), sizeAt([4, 5], -1)]).toEqual([4, 5]);
    expect(() => sizeAt([4], 1)).toThrow(RangeError);
  });
});
