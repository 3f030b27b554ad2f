import * as tf from '@tensorflow/tfjs-core';
import { Rng } from '../random.ts';
import { product } from '../shape.ts';

/** A dense array in float64, row-major: what a result is compared with, and what the loops below compute on. */
export interface Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Float32 values from the uniform distribution on [low, high), as float64. */
export function sample(shape: readonly number[], seed: number, { low = -1, high = 1 } = {}): Dense {
  const rng = new Rng(seed);
  const data = Float64Array.from({ length: product(shape) }, () => Math.fround(rng.uniform(low, high)));
  return { shape, data };
}

/** The array as a tensor of the backend in use. */
export function tensor<T extends tf.Tensor>({ shape, data }: Dense): T {
  return tf.tensor(Float32Array.from(data), [...shape], 'float32') as T;
}

/** Row-major position of an index. */
export function at({ shape, data }: Dense, ...index: number[]): number {
  return data[index.reduce((position, i, axis) => position * (shape[axis] as number) + i, 0)] as number;
}

/** Fills an array from a function of the index. */
export function fill(shape: readonly number[], value: (...index: number[]) => number): Dense {
  const data = Float64Array.from({ length: product(shape) }, (_, position) => {
    const index: number[] = [];
    for (let axis = shape.length - 1, rest = position; axis >= 0; axis--) {
      const size = shape[axis] as number;
      index.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    return value(...index);
  });
  return { shape, data };
}

/** `sum` of `term(i)` for i in [0, count). */
export function sum(count: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}

/** Where a convolution of clips samples: for each of time, height and width. */
export interface Sampling {
  readonly kernel: readonly [number, number, number];
  readonly stride: readonly [number, number, number];
  readonly padding: readonly [number, number, number];
}

/**
 * Direct convolution (cross-correlation) of `x` [B, T, H, W, C] with zero padding, from its definition.
 *
 * @param weight the weight of tap (t, u, v) from an input channel to an output channel
 */
export function convolution(
  x: Dense,
  outputs: number,
  { kernel, stride, padding }: Sampling,
  weight: (t: number, u: number, v: number, input: number, output: number) => number,
): Dense {
  const [batch, ...rest] = x.shape as [number, number, number, number, number];
  const channels = rest[3];
  const size = (axis: 0 | 1 | 2) =>
    Math.floor(((rest[axis] as number) + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
  return fill([batch, size(0), size(1), size(2), outputs], (b, ...[i, j, k, o]) => {
    let y = 0;
    for (let t = 0; t < kernel[0]; t++) {
      for (let u = 0; u < kernel[1]; u++) {
        for (let v = 0; v < kernel[2]; v++) {
          const position = [(i as number) * stride[0] + t - padding[0], (j as number) * stride[1] + u - padding[1]];
          position.push((k as number) * stride[2] + v - padding[2]);
          if (position.some((p, axis) => p < 0 || p >= (rest[axis] as number))) continue;
          y += sum(channels, (c) => at(x, b as number, ...position, c) * weight(t, u, v, c, o as number));
        }
      }
    }
    return y;
  });
}
