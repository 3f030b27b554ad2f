import { product, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type LisaAttentionOptions, type LisaMode, type LisaTables, lisaAttention } from '../lisaAttention.ts';
import type { QkNorm } from '../qkNorm.ts';
import { type LisaGrid, type LisaPadding, tableShape } from '../tables.ts';

/** Sizes of a small LiSA problem. */
export interface Sizes {
  readonly mode: LisaMode;
  readonly padding: LisaPadding;
  readonly grid: LisaGrid;
  readonly batch: number;
  readonly heads: number;
  /** channels of a head */
  readonly headDim: number;
  /** D */
  readonly patterns: number;
  readonly qkNorm: QkNorm;
  readonly seed: number;
}

/** The numbers of a problem, row-major: q, k, v [B, N, C]; two tables (`structure`) or one. */
export interface Problem extends Sizes {
  readonly tokens: number;
  readonly channels: number;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly tables: readonly Float32Array[];
}

/** Normal numbers of a problem's sizes; tables of size 1/sqrt(N), those of mode `kernelized` positive. */
export function problem(sizes: Sizes): Problem {
  const { mode, grid, batch, heads, headDim } = sizes;
  const rng = new Rng(sizes.seed);
  const [tokens, channels] = [product(grid), heads * headDim];
  const values = () => normal(rng, batch * tokens * channels);
  const length = product(shapeOfTable(sizes));
  const table = () =>
    mode === 'kernelized' ? normal(rng, length, 0.5).map(Math.exp) : normal(rng, length, tokens ** -0.5);
  const tables = mode === 'structure' ? [table(), table()] : [table()];
  return { ...sizes, tokens, channels, q: values(), k: values(), v: values(), tables };
}

/** [h, D, ...offsets], [h, ...offsets] or [h, c, ...offsets]. */
export function shapeOfTable({ mode, padding, grid, heads, headDim, patterns }: Sizes): number[] {
  const rows = { structure: [patterns], kernelized: [], hadamard: [headDim] }[mode];
  return [heads, ...rows, ...tableShape(grid, padding)];
}

/** Problems with sizes drawn by fast-check, on grids of 1 to 3 axes. */
export function problems(fixed: Partial<Sizes> = {}): fc.Arbitrary<Problem> {
  const size = (max: number) => fc.integer({ min: 1, max });
  const grids = fc.oneof(...[9, 5, 3].map((max, i) => fc.array(size(max), { minLength: i + 1, maxLength: i + 1 })));
  const drawn = fc.record({
    mode: fc.constantFrom<LisaMode>('structure', 'kernelized', 'hadamard'),
    padding: fc.constantFrom<LisaPadding>('zero', 'circular'),
    grid: grids,
    batch: size(2),
    heads: size(2),
    headDim: size(4),
    patterns: size(4),
    qkNorm: fc.constantFrom<QkNorm>('l2', 'scale', 'none'),
    seed: fc.nat(),
  });
  return drawn.map((sizes) => problem({ ...sizes, ...fixed }));
}

/** The result [B, N, C] of the operator under test. */
export function run(p: Problem, options: Partial<LisaAttentionOptions> = {}): Promise<Float32Array> {
  return values(() => {
    const [q, k, v, ...tables] = tensors(p);
    return lisaAttention(q, k, v, asTables(p.mode, tables), { ...optionsOf(p), ...options });
  });
}

/** A problem's options, as the operator takes them. */
export function optionsOf({ grid, heads, padding, qkNorm }: Problem): LisaAttentionOptions {
  return { grid, heads, padding, qkNorm };
}

/** The problem's numbers as the operator's arguments: q, k, v, then tables. */
export function tensors(p: Problem): [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D, ...tf.Tensor[]] {
  const [q, k, v] = [p.q, p.k, p.v].map((x) => tf.tensor3d(x, [p.batch, p.tokens, p.channels])) as [
    tf.Tensor3D,
    tf.Tensor3D,
    tf.Tensor3D,
  ];
  return [q, k, v, ...p.tables.map((table) => tf.tensor(table, shapeOfTable(p)))];
}

/** Tensors as the tables of a mode. */
export function asTables(mode: LisaMode, [first, second]: readonly tf.Tensor[]): LisaTables {
  if (mode === 'structure') return { mode, p: first as tf.Tensor, u: second as tf.Tensor };
  return { mode, r: first as tf.Tensor };
}

/** Reads the result of `compute`, and frees it and all else that it made. */
export async function values(compute: () => tf.Tensor): Promise<Float32Array> {
  const result = tf.tidy(compute);
  try {
    return (await result.data()) as Float32Array;
  } finally {
    result.dispose();
  }
}

/** `length` normal numbers. */
export function normal(rng: Rng, length: number, std = 1): Float32Array {
  return Float32Array.from({ length }, () => rng.normal(0, std));
}

/** The tokens of [B, N, C] in another order: token n of the result is token `order[n]`. */
export function takeTokens(x: Float32Array, p: Problem, order: readonly number[]): Float32Array {
  return x.map((_, i) => {
    const [row, c] = [Math.floor(i / p.channels), i % p.channels];
    const [sample, n] = [Math.floor(row / p.tokens), row % p.tokens];
    return x[(sample * p.tokens + (order[n] as number)) * p.channels + c] as number;
  });
}

/** The order of the positions of `shape` in which they are moved by `by` along an axis, around the corner. */
export function shifted(shape: readonly number[], axis: number, by: number): number[] {
  return reordered(shape, axis, (at, size) => (((at - by) % size) + size) % size);
}

/** The order of the positions of `shape` in which an axis runs backwards. */
export function mirrored(shape: readonly number[], axis: number): number[] {
  return reordered(shape, axis, (at, size) => size - 1 - at);
}

function reordered(shape: readonly number[], axis: number, from: (at: number, size: number) => number): number[] {
  const step = product(shape.slice(axis + 1));
  const size = shape[axis] as number;
  return Array.from({ length: product(shape) }, (_, i) => {
    const at = Math.floor(i / step) % size;
    return i + (from(at, size) - at) * step;
  });
}
