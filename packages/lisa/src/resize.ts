import { ConfigError, formatShape, matMul, product, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { assertPadding, assertSizes, type LisaGrid, type LisaPadding, tableShape } from './tables.ts';

/** Options of {@link resizeTables}. */
export interface ResizeTablesOptions {
  /** the grid of the table */
  readonly from: LisaGrid;
  /** the grid for which it is wanted; as many axes */
  readonly to: LisaGrid;
  /** default `zero` */
  readonly padding?: LisaPadding;
  /**
   * whether entries are multiplied by prod(S)/prod(S'), so that sums over more tokens keep their size; default true. False
   * for the logarithms that mode `kernelized` stores.
   */
  readonly area?: boolean;
}

/**
 * Tables of relative positions for another grid, S -> S': `table` [..., ...offsets of S] -> [..., ...offsets of S'],
 * differentiable; linear along one axis after the other.
 *
 * ```
 * zero       entry j reads position (S-1) + (j - (S'-1)) (S-1)/(S'-1): offset 0 stays at 0, +-(S'-1) reads +-(S-1)
 * circular   entry j reads position j S/S' mod S, around the corner
 * ```
 *
 * An axis that had one position reads its only entry. Source: the specification's section 5, ours.
 *
 * @throws ConfigError for grids or options that cannot be; ShapeError for a table that is not of the grid `from`
 */
export function resizeTables(table: tf.Tensor, options: ResizeTablesOptions): tf.Tensor {
  const { from, to, padding = 'zero', area = true } = options;
  assertPair(from, to, padding);
  const sizes = tableShape(from, padding);
  const leading = table.shape.slice(0, -from.length);
  if (table.rank < from.length || sizes.some((size, axis) => table.shape[leading.length + axis] !== size)) {
    throw new ShapeError({
      argument: 'table',
      expected: `shape ${formatShape(['...', ...sizes])}, a table for the grid ${formatShape(from)} with ${padding} padding`,
      actual: formatShape(table.shape),
    });
  }
  return tf.tidy(() => {
    let values: tf.Tensor = table;
    let before = product(leading);
    for (const [axis, { rows, columns, weights }] of axisMatrices({ from, to, padding, area }).entries()) {
      const after = product(sizes.slice(axis + 1));
      const matrix = tf.tensor(Float32Array.from(weights), [rows, columns]);
      values = matMul(matrix, tf.reshape(values, [before, columns, after]));
      before *= rows;
    }
    return tf.reshape(values, [...leading, ...tableShape(to, padding)]);
  });
}

/** How the entries along one axis become those along another: new = weights old, weights [rows, columns]. */
export interface AxisMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly weights: Float64Array;
}

/** The matrix of each axis; the first one brings the area factor along. */
export function axisMatrices({ from, to, padding = 'zero', area = true }: ResizeTablesOptions): AxisMatrix[] {
  return from.map((size, axis) => {
    const matrix = axisMatrix(size, to[axis] as number, padding);
    const factor = axis === 0 && area ? product(from) / product(to) : 1;
    return { ...matrix, weights: matrix.weights.map((weight) => factor * weight) };
  });
}

/** Linear interpolation along one axis, without a factor. */
function axisMatrix(from: number, to: number, padding: LisaPadding): AxisMatrix {
  const [rows, columns] = [padding === 'zero' ? 2 * to - 1 : to, padding === 'zero' ? 2 * from - 1 : from];
  const weights = new Float64Array(rows * columns);
  for (let j = 0; j < rows; j++) {
    const position = padding === 'zero' ? alignedPosition(j, from, to) : (j * from) / to;
    const floor = Math.floor(position);
    for (const [column, weight] of [
      [floor, 1 - (position - floor)],
      [floor + 1, position - floor],
    ] as const) {
      if (weight === 0) continue;
      const at = j * columns + (column % columns);
      weights[at] = (weights[at] as number) + weight;
    }
  }
  return { rows, columns, weights };
}

/** Both ends read the ends, the middle the middle; a grid of one position has nothing but the middle. */
function alignedPosition(j: number, from: number, to: number): number {
  if (to === 1) return from - 1;
  // One division, of integers: whole positions come out whole.
  return from - 1 + ((j - (to - 1)) * (from - 1)) / (to - 1);
}

/** Throws a ConfigError unless both are grids of as many axes, and the padding exists. */
function assertPair(from: LisaGrid, to: LisaGrid, padding: LisaPadding): void {
  assertSizes('from', from);
  assertSizes('to', to);
  assertPadding(padding);
  if (from.length !== to.length) {
    throw new ConfigError('to', `a grid of ${from.length} axes, as \`from\` has`, to);
  }
}
