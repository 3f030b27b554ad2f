// The kernels of attention in dynamic groups: one call works on one group (or one head), in memory that the caller hands in
// as `scratch`. Rows that belong together are gathered side by side; dense products do the rest.

import { bytes, exponential, sumOf } from './elementary';
import { directMatMul } from './matMul';
import { addTransposedProduct } from './training';

/** Queries that are worked on at once: their scores stay in the cache. */
const TILE: i32 = 16;

/** To a whole number of tiles of the products: 8 columns. */
@inline
function padded(count: i32): i32 {
  return (count + 7) & ~7;
}

/**
 * The group of each row of q [rows, d]: the place of the largest of `q/|q| . e_j - shift_j`, the first of equal ones.
 *
 * @param centroids transposed, [d, padded(groups)]
 * @param shifts [groups]
 * @param scratch TILE * (d + padded(groups)) floats
 */
export function assignRows(
  q: usize, centroids: usize, shifts: usize, out: usize, scratch: usize, rows: i32, groups: i32, d: i32,
): void {
  const width = padded(groups);
  const unit = scratch;
  const scores = unit + bytes(TILE * d);
  for (let start = 0; start < rows; start += TILE) {
    const count = min(TILE, rows - start);
    for (let r = 0; r < count; r++) {
      copyScaled(q + bytes((start + r) * d), unit + bytes(r * d), inverseLength(q + bytes((start + r) * d), d), d);
    }
    directMatMul(unit, centroids, scores, count, d, width);
    for (let r = 0; r < count; r++) {
      const row = scores + bytes(r * width);
      let best = 0;
      let largest: f32 = -Infinity;
      for (let j = 0; j < groups; j++) {
        const score = load<f32>(row + bytes(j)) - load<f32>(shifts + bytes(j));
        if (score > largest) {
          largest = score;
          best = j;
        }
      }
      store<i32>(out + bytes(start + r), best);
    }
  }
}

/** x [rows, d] -> its transpose [d, padded(rows)], filled up with zeros; rows divided by their lengths if `normalize`. */
export function transposeRows(x: usize, out: usize, rows: i32, d: i32, normalize: bool): void {
  const width = padded(rows);
  for (let r = 0; r < width; r++) {
    const at = x + bytes(r * d);
    const factor: f32 = r < rows && normalize ? inverseLength(at, d) : 1;
    for (let c = 0; c < d; c++) {
      const value: f32 = r < rows ? load<f32>(at + bytes(c)) * factor : 0;
      store<f32>(out + bytes(c * width + r), value);
    }
  }
}

/**
 * The places of the k largest of `length` scores, ascending; of equal scores the first ones; NaN below all others. The
 * scores are overwritten.
 *
 * A radix selection: numbers are mapped to integers of the same order; their bytes, from the highest, are counted to find
 * the value of the k-th.
 *
 * @param histogram 256 integers
 */
export function selectLargest(scores: usize, histogram: usize, out: usize, length: i32, k: i32): void {
  for (let i = 0; i < length; i++) {
    const score = load<f32>(scores + bytes(i));
    // Adding 0 makes of -0 the 0 that it equals.
    const bits = reinterpret<u32>(score + 0);
    const key: u32 = score != score ? 0 : bits >> 31 ? ~bits : bits | 0x80000000;
    store<u32>(scores + bytes(i), key);
  }
  let prefix: u32 = 0;
  let mask: u32 = 0;
  let open = k;
  for (let shift = 24; shift >= 0; shift -= 8) {
    memory.fill(histogram, 0, 1024);
    for (let i = 0; i < length; i++) {
      const key = load<u32>(scores + bytes(i));
      if ((key & mask) != prefix) continue;
      const at = histogram + bytes((key >> shift) & 255);
      store<i32>(at, load<i32>(at) + 1);
    }
    let bin = 255;
    let count = load<i32>(histogram + bytes(bin));
    while (count < open) {
      open -= count;
      bin--;
      count = load<i32>(histogram + bytes(bin));
    }
    prefix |= (<u32>bin) << shift;
    mask |= (<u32>255) << shift;
    if (count == open) break;
  }
  for (let i = 0; i < length; i++) {
    const key = load<u32>(scores + bytes(i)) & mask;
    if (key < prefix) continue;
    if (key == prefix) {
      if (open == 0) continue;
      open--;
    }
    store<i32>(out, i);
    out += 4;
  }
}

/** How many floats {@link attendGroup} (or, with its gradient, {@link attendGroupGrad}) needs as scratch. */
export function groupScratch(size: i32, d: i32, gradient: bool): i32 {
  const width = padded(size);
  return gradient ? 5 * width * d + TILE * (3 * d + 2 * width) : 2 * width * d + TILE * (2 * d + width);
}

/**
 * Attention of the queries of one group: `count` rows of q and y [N, d], whose numbers stand in `order`, to `size` rows of
 * k and v [L, d], whose numbers stand in `keys`. For each query, kept [N, 2] gets the largest score and 1 / the sum of
 * `exp(score - largest)`.
 */
export function attendGroup(
  q: usize, k: usize, v: usize, order: usize, keys: usize, y: usize, kept: usize, scratch: usize,
  count: i32, size: i32, d: i32, scale: f32,
): void {
  const width = padded(size);
  const keysT = scratch;
  const values = keysT + bytes(d * width);
  const queries = values + bytes(width * d);
  const scores = queries + bytes(TILE * d);
  const outputs = scores + bytes(TILE * width);
  gatherTransposed(k, keys, keysT, size, d);
  gather(v, keys, values, size, d);
  for (let start = 0; start < count; start += TILE) {
    const rows = min(TILE, count - start);
    const numbers = order + bytes(start);
    gatherScaled(q, numbers, queries, rows, d, scale);
    directMatMul(queries, keysT, scores, rows, d, width);
    for (let r = 0; r < rows; r++) {
      const at = kept + (bytes(load<i32>(numbers + bytes(r))) << 1);
      const row = scores + bytes(r * width);
      const largest = largestOf(row, size, width);
      store<f32>(at, largest);
      store<f32>(at, <f32>1 / exponentials(row, largest, 1, width), 4);
    }
    directMatMul(scores, values, outputs, rows, width, d);
    for (let r = 0; r < rows; r++) {
      const number = load<i32>(numbers + bytes(r));
      const inverse = load<f32>(kept + (bytes(number) << 1), 4);
      copyScaled(outputs + bytes(r * d), y + bytes(number * d), inverse, d);
    }
  }
}

/**
 * Its gradients: writes the rows of dq [N, d], and adds to the rows of dk and dv [L, d].
 *
 * With the weights A, computed again, and delta_i = dy_i . y_i: dV = A^T dy; dS = A * (dy V^T - delta); dQ = scale dS K;
 * dK = dS^T (scale Q).
 */
export function attendGroupGrad(
  dy: usize, q: usize, k: usize, v: usize, order: usize, keys: usize, y: usize, kept: usize,
  dq: usize, dk: usize, dv: usize, scratch: usize,
  count: i32, size: i32, d: i32, scale: f32,
): void {
  const width = padded(size);
  const block = bytes(width * d);
  const keysT = scratch;
  const keyRows = keysT + block;
  const valuesT = keyRows + block;
  const dKeys = valuesT + block;
  const dValues = dKeys + block;
  const queries = dValues + block;
  const dOutputs = queries + bytes(TILE * d);
  const dQueries = dOutputs + bytes(TILE * d);
  const weights = dQueries + bytes(TILE * d);
  const dScores = weights + bytes(TILE * width);
  gatherTransposed(k, keys, keysT, size, d);
  gather(k, keys, keyRows, size, d);
  gatherTransposed(v, keys, valuesT, size, d);
  memory.fill(dKeys, 0, block << 1);
  for (let start = 0; start < count; start += TILE) {
    const rows = min(TILE, count - start);
    const numbers = order + bytes(start);
    gatherScaled(q, numbers, queries, rows, d, scale);
    gatherScaled(dy, numbers, dOutputs, rows, d, 1);
    directMatMul(queries, keysT, weights, rows, d, width);
    directMatMul(dOutputs, valuesT, dScores, rows, d, width);
    for (let r = 0; r < rows; r++) {
      const number = load<i32>(numbers + bytes(r));
      const at = kept + (bytes(number) << 1);
      const row = weights + bytes(r * width);
      exponentials(row, load<f32>(at), load<f32>(at, 4), width);
      clearEnd(row, size, width);
      scoreGradients(row, dScores + bytes(r * width), dot(dOutputs + bytes(r * d), y + bytes(number * d), d), width);
    }
    directMatMul(dScores, keyRows, dQueries, rows, width, d);
    for (let r = 0; r < rows; r++) {
      copyScaled(dQueries + bytes(r * d), dq + bytes(load<i32>(numbers + bytes(r)) * d), scale, d);
    }
    addTransposedProduct(dScores, queries, dKeys, rows, width, d);
    addTransposedProduct(weights, dOutputs, dValues, rows, width, d);
  }
  scatterAdd(dKeys, keys, dk, size, d);
  scatterAdd(dValues, keys, dv, size, d);
}

/** Row numbers[r] of x, for each r, to row r of out. */
function gatherScaled(x: usize, numbers: usize, out: usize, rows: i32, d: i32, factor: f32): void {
  for (let r = 0; r < rows; r++) copyScaled(x + bytes(load<i32>(numbers + bytes(r)) * d), out + bytes(r * d), factor, d);
}

/** The same without a factor, filled up with rows of zeros. */
function gather(x: usize, numbers: usize, out: usize, rows: i32, d: i32): void {
  for (let r = 0; r < rows; r++) memory.copy(out + bytes(r * d), x + bytes(load<i32>(numbers + bytes(r)) * d), bytes(d));
  memory.fill(out + bytes(rows * d), 0, bytes((padded(rows) - rows) * d));
}

/** Row numbers[r] of x, for each r, to column r of out [d, padded(rows)], filled up with columns of zeros. */
function gatherTransposed(x: usize, numbers: usize, out: usize, rows: i32, d: i32): void {
  const width = padded(rows);
  for (let r = 0; r < width; r++) {
    const at = r < rows ? x + bytes(load<i32>(numbers + bytes(r)) * d) : 0;
    for (let c = 0; c < d; c++) {
      store<f32>(out + bytes(c * width + r), r < rows ? load<f32>(at + bytes(c)) : 0);
    }
  }
}

/** Adds row r of x, for each r, to row numbers[r] of out. */
function scatterAdd(x: usize, numbers: usize, out: usize, rows: i32, d: i32): void {
  for (let r = 0; r < rows; r++) {
    const from = x + bytes(r * d);
    const to = out + bytes(load<i32>(numbers + bytes(r)) * d);
    let c = 0;
    for (; c + 4 <= d; c += 4) {
      const at = to + bytes(c);
      v128.store(at, f32x4.add(v128.load(at), v128.load(from + bytes(c))));
    }
    for (; c < d; c++) store<f32>(to + bytes(c), load<f32>(to + bytes(c)) + load<f32>(from + bytes(c)));
  }
}

@inline
function copyScaled(from: usize, to: usize, factor: f32, d: i32): void {
  const factors = f32x4.splat(factor);
  let c = 0;
  for (; c + 4 <= d; c += 4) v128.store(to + bytes(c), f32x4.mul(v128.load(from + bytes(c)), factors));
  for (; c < d; c++) store<f32>(to + bytes(c), load<f32>(from + bytes(c)) * factor);
}

@inline
function dot(a: usize, b: usize, d: i32): f32 {
  let sums = f32x4.splat(0);
  let c = 0;
  for (; c + 4 <= d; c += 4) sums = f32x4.add(sums, f32x4.mul(v128.load(a + bytes(c)), v128.load(b + bytes(c))));
  let sum = sumOf(sums);
  for (; c < d; c++) sum += load<f32>(a + bytes(c)) * load<f32>(b + bytes(c));
  return sum;
}

/** 1 / max(|x|, 1e-12) */
@inline
function inverseLength(x: usize, d: i32): f32 {
  return <f32>1 / max<f32>(sqrt<f32>(dot(x, x, d)), 1e-12);
}

/** The largest of the first `size` scores; NaN if one is. What fills the row up is made too low to count. */
@inline
function largestOf(row: usize, size: i32, width: i32): f32 {
  for (let j = size; j < width; j++) store<f32>(row + bytes(j), -3e38);
  let largest = v128.load(row);
  for (let j = 4; j < width; j += 4) largest = f32x4.max(largest, v128.load(row + bytes(j)));
  return max<f32>(
    max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
  );
}

@inline
function clearEnd(row: usize, size: i32, width: i32): void {
  for (let j = size; j < width; j++) store<f32>(row + bytes(j), 0);
}

/** row_j <- exp(row_j - largest) * factor; returns the sum. */
@inline
function exponentials(row: usize, largest: f32, factor: f32, width: i32): f32 {
  const shift = f32x4.splat(largest);
  const factors = f32x4.splat(factor);
  let sums = f32x4.splat(0);
  for (let j = 0; j < width; j += 4) {
    const at = row + bytes(j);
    const value = f32x4.mul(exponential(f32x4.sub(v128.load(at), shift)), factors);
    v128.store(at, value);
    sums = f32x4.add(sums, value);
  }
  return sumOf(sums);
}

/** dScores_j <- weights_j * (dScores_j - delta) */
@inline
function scoreGradients(weights: usize, dScores: usize, delta: f32, width: i32): void {
  const shift = f32x4.splat(delta);
  for (let j = 0; j < width; j += 4) {
    const at = dScores + bytes(j);
    v128.store(at, f32x4.mul(v128.load(weights + bytes(j)), f32x4.sub(v128.load(at), shift)));
  }
}
