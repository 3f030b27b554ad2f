import type { TensorData } from '@saccade/weights';

/** The square root of the sum of squares, in float64. */
export function norm(data: TensorData): number {
  let sum = 0;
  for (const value of data) sum += Number(value) ** 2;
  return Math.sqrt(sum);
}

/** How many values are NaN or infinite. */
export function countNonFinite(data: TensorData): number {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return 0;
  let count = 0;
  for (const value of data) if (!Number.isFinite(value)) count++;
  return count;
}

/** `max |a - b| / max |b|`; 0 where both are equal (also NaN to NaN), infinite where only one is not finite. */
export function relativeDifference(a: TensorData, b: TensorData): number {
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (Object.is(x, y) || x === y) {
      if (Number.isFinite(y)) largest = Math.max(largest, Math.abs(y));
      continue;
    }
    if (!Number.isFinite(x) || !Number.isFinite(y)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, Math.abs(x - y));
    largest = Math.max(largest, Math.abs(y));
  }
  return difference === 0 ? 0 : difference / largest;
}
