import type { Grid } from '@saccade/nn';
import { product, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { type StructFilter, structAttention } from '../structAttention.ts';

/** Sizes of a small StructSA problem of one sample. */
export interface Sizes {
  readonly grid: Grid;
  readonly heads: number;
  /** channels of a head */
  readonly headDim: number;
  readonly detectors: number;
  readonly stride: number;
  /** odd, one for each axis of the grid */
  readonly kernelK: readonly number[];
  readonly kernelV: readonly number[];
  readonly seed: number;
}

/** The numbers of a problem, row-major: q, k, v [N, C]; convK, convV [...kernel, C, D]. */
export interface Problem extends Sizes {
  readonly channels: number;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly convK: Float32Array;
  readonly convV: Float32Array;
}

/** Normal numbers of a problem's sizes; filters are scaled so that scores keep the size that they have without them. */
export function problem(sizes: Sizes): Problem {
  const { grid, heads, headDim, detectors, kernelK, kernelV } = sizes;
  const rng = new Rng(sizes.seed);
  const channels = heads * headDim;
  const tokens = () => normal(rng, product(grid) * channels);
  const filter = (kernel: readonly number[]) =>
    normal(rng, product(kernel) * channels * detectors, product(kernel) ** -0.5);
  return { ...sizes, channels, q: tokens(), k: tokens(), v: tokens(), convK: filter(kernelK), convV: filter(kernelV) };
}

/** Problems with sizes drawn by fast-check, images and clips. */
export function problems(fixed: Partial<Sizes> = {}): fc.Arbitrary<Problem> {
  const size = (max: number) => fc.integer({ min: 1, max });
  const ofRank = (rank: number) => {
    const kernel = fc.array(fc.constantFrom(1, 3, 5), { minLength: rank, maxLength: rank });
    const grid = fc.array(size(rank === 2 ? 5 : 3), { minLength: rank, maxLength: rank });
    return fc.record({
      grid: grid as unknown as fc.Arbitrary<Grid>,
      heads: size(3),
      headDim: size(4),
      detectors: size(4),
      stride: size(3),
      kernelK: kernel,
      kernelV: kernel,
      seed: fc.nat(),
    });
  };
  const rank = fixed.grid?.length;
  const sizes = rank === undefined ? fc.oneof(ofRank(2), ofRank(3)) : ofRank(rank);
  return sizes.map((drawn) => problem({ ...drawn, ...fixed }));
}

/** The pre-projection result [N, C] of the operator under test. */
export function run(p: Problem): Promise<Float32Array> {
  return values(() => {
    const [q, k, v, convK, convV] = tensors(p);
    return structAttention(q, k, v, convK, convV, p);
  });
}

/** The problem's numbers as the operator's arguments. */
export function tensors(p: Problem): [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D, StructFilter, StructFilter] {
  const tokens = (x: Float32Array) => tf.tensor3d(x, [1, product(p.grid), p.channels]);
  const filter = (x: Float32Array, kernel: readonly number[]) =>
    tf.tensor(x, [...kernel, p.channels, p.detectors] as StructFilter['shape']) as StructFilter;
  return [tokens(p.q), tokens(p.k), tokens(p.v), filter(p.convK, p.kernelK), filter(p.convV, p.kernelV)];
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

/** Filters [...kernel, C, D] whose centre tap is 1 and whose other taps are 0. */
export function centredDelta(kernel: readonly number[], channels: number, detectors: number): Float32Array {
  const taps = product(kernel);
  const filter = new Float32Array(taps * channels * detectors);
  const size = channels * detectors;
  // All kernel sizes are odd, so the centre is in the middle of the flat list as well.
  return filter.fill(1, ((taps - 1) / 2) * size, ((taps + 1) / 2) * size);
}

/** `length` normal numbers. */
export function normal(rng: Rng, length: number, std = 1): Float32Array {
  return Float32Array.from({ length }, () => rng.normal(0, std));
}

/** Rows of `width` numbers in another order: row r of the result is row `order[r]`. */
export function takeRows(x: Float32Array, width: number, order: readonly number[]): Float32Array {
  return Float32Array.from({ length: x.length }, (_, i) => x[order[Math.floor(i / width)]! * width + (i % width)]!);
}
