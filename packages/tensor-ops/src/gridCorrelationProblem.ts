import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.ts';
import { assertShape, formatShape, product } from './shape.ts';

/**
 * What lies beyond the edge of the grid: `zero`, nothing; `circular`, its other side.
 *
 * | padding | entries of a table along an axis of S tokens | offset o = m - n stands at |
 * |---|---|---|
 * | `zero` | 2S - 1 | `o + (S - 1)` |
 * | `circular` | S | `o mod S` |
 */
export type GridPadding = 'zero' | 'circular';

/**
 * How a correlation is computed; all give the same values up to rounding.
 *
 * | method | how | time, for N tokens on a axes |
 * |---|---|---|
 * | `dense` | tables gathered to N x N matrices, then products | N^2 |
 * | `dft` | Fourier transforms as products with constant matrices of cosines and sines | N^(1 + 1/a) |
 * | `fft` | a kernel of ours with fast Fourier transforms | N log N |
 * | `auto` | `fft` where the backend has the kernel and it pays, else the faster of the other two, as measured | |
 */
export type GridCorrelationMethod = 'auto' | 'dense' | 'dft' | 'fft';

/** Options of {@link gridCorrelation} and its relatives. */
export interface GridCorrelationOptions {
  /** where the N tokens lie, row-major: [S], [H, W] or [T, H, W] */
  readonly grid: readonly number[];
  /** default `zero` */
  readonly padding?: GridPadding;
  /** default `auto` */
  readonly method?: GridCorrelationMethod;
}

/** A grid with its padding, checked. */
export interface GridProblem {
  readonly grid: readonly number[];
  readonly padding: GridPadding;
  /** entries of a table along each axis */
  readonly offsets: readonly number[];
}

const paddings: readonly GridPadding[] = ['zero', 'circular'];
const methods: readonly GridCorrelationMethod[] = ['auto', 'dense', 'dft', 'fft'];

/**
 * Checks the options.
 *
 * @throws ConfigError
 */
export function gridProblem({ grid, padding = 'zero', method = 'auto' }: GridCorrelationOptions): GridProblem {
  if (grid.length < 1 || grid.length > 3 || grid.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ConfigError('grid', '[S], [H,W] or [T,H,W], positive integers', grid);
  }
  if (!paddings.includes(padding)) throw new ConfigError('padding', `one of ${paddings.join(', ')}`, padding);
  if (!methods.includes(method)) throw new ConfigError('method', `one of ${methods.join(', ')}`, method);
  return { grid, padding, offsets: grid.map((size) => (padding === 'zero' ? 2 * size - 1 : size)) };
}

/** Throws a ShapeError unless `x` is [B, h, N, c] for the tokens of the grid (and, if given, of the shape of another). */
export function assertTokens(argument: string, x: tf.Tensor, { grid }: GridProblem, like?: readonly number[]): void {
  const hint = `The grid ${formatShape(grid)} has ${product(grid)} positions.`;
  assertShape(argument, x, like ?? ['B', 'h', product(grid), 'c'], hint);
}

/** Throws a ShapeError unless `table` is [...leading, ...offsets]. */
export function assertTable(
  argument: string,
  table: tf.Tensor,
  leading: readonly (number | string)[],
  { grid, padding, offsets }: GridProblem,
): void {
  const rule = padding === 'zero' ? '2S - 1 entries, an odd number,' : 'S entries';
  assertShape(
    argument,
    table,
    [...leading, ...offsets],
    `Padding '${padding}' wants ${rule} along each axis of S tokens; the grid is ${formatShape(grid)}.`,
  );
  if (leading.includes('D') && table.shape[leading.indexOf('D')] === 0) {
    throw new ShapeError({ argument, expected: 'D >= 1 patterns', actual: formatShape(table.shape) });
  }
}

/** The index, along one axis, at which a table has the offset o of |o| < S. */
export function offsetIndex(offset: number, size: number, padding: GridPadding): number {
  return padding === 'zero' ? offset + size - 1 : (offset + size) % size;
}
