import { describe, expect, it } from 'vitest';
import { namePattern } from './namePattern.ts';
import { countNonFinite, norm, relativeDifference } from './values.ts';

const f = (...values: number[]) => Float32Array.from(values);

describe('values', () => {
  it('have a norm, whatever carries them', () => {
    expect(norm(f(3, -4))).toBe(5);
    expect(norm(BigInt64Array.of(3n, 4n))).toBe(5);
    expect(norm(f())).toBe(0);
    // In float64: squares of float32 numbers may lie beyond float32.
    expect(norm(f(3e38))).toBeCloseTo(3e38, -32);
  });

  it('are finite or not', () => {
    expect(countNonFinite(f(1, Number.NaN, Number.NEGATIVE_INFINITY))).toBe(2);
    expect(countNonFinite(Int32Array.of(1))).toBe(0);
  });

  it('differ relative to the largest of the other', () => {
    expect(relativeDifference(f(1, 2), f(1, 2))).toBe(0);
    expect(relativeDifference(f(1, 3), f(1, 2))).toBe(0.5);
    expect(relativeDifference(f(-4, 1), f(-4, 2))).toBe(0.25);
    expect(relativeDifference(f(Number.NaN), f(Number.NaN))).toBe(0);
    expect(relativeDifference(f(Number.NaN), f(1))).toBe(Number.POSITIVE_INFINITY);
    expect(relativeDifference(f(1e-30), f(0))).toBe(Number.POSITIVE_INFINITY);
    expect(relativeDifference(f(0), f(-0))).toBe(0);
    expect(relativeDifference(BigInt64Array.of(3n), BigInt64Array.of(4n))).toBe(0.25);
  });
});

describe('namePattern', () => {
  it.each([
    ['*', 'anything', true],
    ['head.*', 'head.weight', true],
    ['head.*', 'a.head.weight', false],
    ['*.bias', 'a.bias', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a*a', 'a', false],
    ['ab*ba', 'aba', false],
    ['a.c', 'abc', false],
    ['', '', true],
    ['x', 'xy', false],
  ])('%s: %s is %s', (pattern, name, expected) => {
    expect(namePattern(pattern)(name)).toBe(expected);
  });
});
