import { ConfigError, formatShape, product, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** The lattice on which tokens lie, in row-major order: [S], [H, W] or [T, H, W]. */
export type LisaGrid = readonly number[];

/**
 * What lies beyond the borders of the grid: nothing (`zero`), or its other side (`circular`).
 *
 * It decides the size of a table. With the offset o = m - n, key minus query, along an axis of S positions: `zero` has
 * 2S - 1 entries, o at index o + S - 1; `circular` has S, o at index o mod S.
 */
export type LisaPadding = 'zero' | 'circular';

/** Entries of a table along each axis of the grid. */
export function tableShape(grid: LisaGrid, padding: LisaPadding): number[] {
  return grid.map((size) => (padding === 'zero' ? 2 * size - 1 : size));
}

/** Throws a ConfigError unless `grid` is 1 to 3 positive integers, a ShapeError unless `tokens` tokens fill it. */
export function assertLisaGrid(tokens: number, grid: LisaGrid): void {
  assertSizes('grid', grid);
  if (product(grid) === tokens) return;
  throw new ShapeError({
    argument: 'grid',
    expected: `as many positions as there are tokens, N = ${tokens}`,
    actual: `${formatShape(grid)} = ${product(grid)} positions`,
    hint: 'Pass the grid of the token map: [H,W] for images, [T,H,W] for clips. LiSA has no class token.',
  });
}

/** Throws a ConfigError, with `option` as the name, unless `grid` is 1 to 3 positive integers. */
export function assertSizes(option: string, grid: LisaGrid): void {
  const possible = grid.length >= 1 && grid.length <= 3;
  if (!possible || grid.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ConfigError(option, '[S], [H,W] or [T,H,W], positive integers', grid);
  }
}

/** Throws a ConfigError for a padding that does not exist. */
export function assertPadding(padding: LisaPadding): void {
  if (padding !== 'zero' && padding !== 'circular') throw new ConfigError('padding', '"zero" or "circular"', padding);
}

/**
 * Throws a ShapeError unless `table` is [...leading, ...offsets] for the grid; a string in `leading` stands for any size.
 */
export function assertTable(
  argument: string,
  table: tf.Tensor,
  leading: readonly (number | string)[],
  { grid, padding }: { readonly grid: LisaGrid; readonly padding: LisaPadding },
): void {
  const pattern = [...leading, ...tableShape(grid, padding)];
  const { shape } = table;
  if (shape.length === pattern.length && pattern.every((size, i) => typeof size === 'string' || size === shape[i])) {
    return;
  }
  const offsets = shape.slice(leading.length);
  const even = padding === 'zero' && shape.length === pattern.length && offsets.some((size) => size % 2 === 0);
  throw new ShapeError({
    argument,
    expected: `shape ${formatShape(pattern)}, a table for the grid ${formatShape(grid)} with ${padding} padding`,
    actual: formatShape(shape),
    hint: even
      ? 'With zero padding an axis of S positions has 2S-1 offsets, an odd number; S entries are for {padding: "circular"}.'
      : 'resizeTables brings a table from one grid to another.',
  });
}

/** The flat index of offset 0. */
export function centreIndex(grid: LisaGrid, padding: LisaPadding): number {
  return padding === 'zero' ? (product(tableShape(grid, padding)) - 1) / 2 : 0;
}

/**
 * `table` [h, D, ...offsets] with 1 added at offset 0, of pattern d = 0 or of `all`: the path on which a token meets itself.
 */
export function withIdentity(
  table: tf.Tensor,
  grid: LisaGrid,
  padding: LisaPadding,
  patterns: 'first' | 'all',
): tf.Tensor {
  const [heads, count] = table.shape as [number, number];
  const offsets = product(tableShape(grid, padding));
  const centre = centreIndex(grid, padding);
  const delta = new Float32Array(table.size);
  for (let row = 0; row < heads * count; row++) {
    if (patterns === 'all' || row % count === 0) delta[row * offsets + centre] = 1;
  }
  // As rows: tables of clips have rank 5.
  const rows = [heads * count, offsets];
  return tf.tidy(() => tf.reshape(tf.add(tf.reshape(table, rows), tf.tensor(delta, rows)), table.shape));
}

/**
 * For each query of `rows` (default: all N) and each key m the flat index of the offset m - n in a table, row-major [Q, N].
 */
export function offsetIndices(grid: LisaGrid, padding: LisaPadding, rows?: readonly number[]): Int32Array {
  const sizes = tableShape(grid, padding);
  const tokens = product(grid);
  const positions = Array.from({ length: tokens }, (_, n) => positionOf(n, grid));
  const queries = rows ?? positions.map((_, n) => n);
  const indices = new Int32Array(queries.length * tokens);
  let at = 0;
  for (const n of queries) {
    const query = positions[n] as number[];
    for (const key of positions) {
      let index = 0;
      for (let axis = 0; axis < grid.length; axis++) {
        const [size, step] = [grid[axis] as number, (key[axis] as number) - (query[axis] as number)];
        index = index * (sizes[axis] as number) + (padding === 'zero' ? step + size - 1 : (step + size) % size);
      }
      indices[at++] = index;
    }
  }
  return indices;
}

function positionOf(token: number, grid: LisaGrid): number[] {
  const position = new Array<number>(grid.length);
  for (let axis = grid.length - 1; axis >= 0; axis--) {
    const size = grid[axis] as number;
    position[axis] = token % size;
    token = Math.floor(token / size);
  }
  return position;
}

/** How a table is spread over pairs of tokens. */
export interface SpreadOptions {
  readonly grid: LisaGrid;
  readonly padding: LisaPadding;
  /** row-major positions of the Q queries; default: all N */
  readonly rows?: readonly number[];
}

/** A table spread over pairs of tokens, `table[h, d][m - n]`: [h, D, ...offsets] -> [h * Q, N, D]. */
export function spreadTable(table: tf.Tensor, { grid, padding, rows }: SpreadOptions): tf.Tensor3D {
  const [heads, patterns] = table.shape as [number, number];
  const tokens = product(grid);
  const offsets = product(tableShape(grid, padding));
  const own = offsetIndices(grid, padding, rows);
  // One list for all heads: rows of D numbers are gathered at once, and their gradient is one segment sum.
  const indices = new Int32Array(heads * own.length);
  for (let h = 0; h < heads; h++) {
    for (let i = 0; i < own.length; i++) indices[h * own.length + i] = h * offsets + (own[i] as number);
  }
  return tf.tidy(() => {
    const entries = tf.transpose(tf.reshape(table, [heads, patterns, offsets]), [0, 2, 1]);
    const flat = tf.reshape(entries, [heads * offsets, patterns]);
    const gathered = tf.gather(flat, tf.tensor1d(indices, 'int32'));
    return tf.reshape(gathered, [(heads * own.length) / tokens, tokens, patterns]) as tf.Tensor3D;
  });
}
