import type { StateTensor } from '@saccade/nn';

/** Numbers with a shape: a tensor that was read, ours or a golden one. */
export type Values = Pick<StateTensor, 'shape' | 'data'>;

/** `max |a - b| / max |b|` with b = expected; the largest difference where all of b is zero. NaN counts as infinite. */
export function relativeError(actual: Values, expected: Values): number {
  if (!sameShape(actual, expected)) return Number.POSITIVE_INFINITY;
  let [difference, magnitude] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const b = Number(expected.data[i]);
    const apart = Math.abs(Number(actual.data[i]) - b);
    if (Number.isNaN(apart)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, apart);
    magnitude = Math.max(magnitude, Math.abs(b));
  }
  return difference / (magnitude || 1);
}

/** The largest difference. */
export function absoluteError(actual: Values, expected: Values): number {
  if (!sameShape(actual, expected)) return Number.POSITIVE_INFINITY;
  let difference = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const apart = Math.abs(Number(actual.data[i]) - Number(expected.data[i]));
    difference = Math.max(difference, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
  }
  return difference;
}

/** How many values differ. */
export function differingValues(actual: Values, expected: Values): number {
  if (!sameShape(actual, expected)) return Number.POSITIVE_INFINITY;
  let count = 0;
  for (let i = 0; i < expected.data.length; i++) count += actual.data[i] === expected.data[i] ? 0 : 1;
  return count;
}

/** `|a - b| / |b - before|` in Euclidean length: how far a step is from the expected step, not from the expected place. */
export function updateError(actual: Values, expected: Values, before: Values): number {
  if (!sameShape(actual, expected) || !sameShape(before, expected)) return Number.POSITIVE_INFINITY;
  let [difference, length] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const b = Number(expected.data[i]);
    difference += (Number(actual.data[i]) - b) ** 2;
    length += (b - Number(before.data[i])) ** 2;
  }
  const error = Math.sqrt(difference) / (Math.sqrt(length) || 1);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

function sameShape(a: Values, b: Values): boolean {
  return a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);
}
