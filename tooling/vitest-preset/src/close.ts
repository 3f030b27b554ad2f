import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** How far two lists of numbers are apart. */
export interface Close {
  /** `max |a - b| / max |b|`; the largest absolute difference where `b` is all zero. */
  readonly error: number;
  /** Flat index of the largest difference. */
  readonly index: number;
}

type Numbers = ArrayLike<number> | Tensor | number;

/** Compares two lists of equal length: see {@link Close}. A NaN on one side only counts as an infinite error. */
export function describeClose(actual: ArrayLike<number>, expected: ArrayLike<number>): Close {
  let largest = 0;
  let difference = 0;
  let index = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] as number;
    const b = expected[i] as number;
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
    const apart = Object.is(a, b) || a === b ? 0 : Math.abs(a - b);
    const distance = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
    if (distance > difference) {
      difference = distance;
      index = i;
    }
  }
  return { error: difference === 0 ? 0 : difference / (largest || 1), index };
}

/**
 * Expects `max |actual - expected| / max |expected| <= tolerance`. Where both are tensors, their shapes must be equal.
 *
 * @param tolerance default `1e-5`: float32 after a few operations.
 */
export async function expectClose(
  actual: Numbers,
  expected: Numbers,
  { tolerance = 1e-5 }: { tolerance?: number } = {},
): Promise<void> {
  if (isTensor(actual) && isTensor(expected)) expect(actual.shape, 'shape').toEqual(expected.shape);
  const [a, b] = [await numbers(actual), await numbers(expected)];
  expect(a.length, 'number of elements').toBe(b.length);
  const { error, index } = describeClose(a, b);
  if (!(error <= tolerance)) {
    const where = `the worst at flat index ${index}${isTensor(actual) ? ` of [${actual.shape}]` : ''}`;
    expect.fail(
      `relative error ${error.toPrecision(3)} > tolerance ${tolerance}; ${where}: ${a[index]}, expected ${b[index]}`,
    );
  }
}

function isTensor(value: Numbers): value is Tensor {
  return typeof value === 'object' && 'dataSync' in value;
}

async function numbers(value: Numbers): Promise<ArrayLike<number>> {
  if (typeof value === 'number') return [value];
  return isTensor(value) ? value.data() : value;
}
