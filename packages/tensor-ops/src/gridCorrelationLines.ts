import * as tf from '@tensorflow/tfjs-core';
import { FOURIER_LINES } from './kernels/names.ts';
import { rawMatMul } from './matMul.ts';
import { sizeAt } from './shape.ts';

/** Real and imaginary part; the imaginary part of what is real is left out. */
export type Complex = readonly [re: tf.Tensor, im: tf.Tensor];
export type MaybeReal = Complex | readonly [re: tf.Tensor];

/** One axis: its transform has `length` frequencies, of which the first axis keeps those up to one half. */
export interface Axis {
  readonly length: number;
  readonly frequencies: number;
  readonly isFirst: boolean;
}

/** Positions to transform along an axis: `count` of them, the first at `from`, 0 or before. */
export interface Positions {
  readonly count: number;
  readonly from: number;
}

/** A way to transform the leading axis of tensors. */
export interface LineTransforms {
  /** How long the transform of at least so many positions is. */
  length(least: number): number;
  /** [positions, ...] -> [frequencies, columns] */
  forward(x: MaybeReal, axis: Axis, positions: Positions): Complex;
  /** [frequencies, ...] -> [positions, columns]; of the first axis, which is the last to be transformed, the real part. */
  inverse(x: Complex, axis: Axis, positions: Positions): MaybeReal;
}

/** Products with constant matrices of cosines and sines, which every backend does well. */
export const matrixLines: LineTransforms = {
  length: (least) => least,
  forward: (x, axis, positions) => {
    const [cos, sin] = wave(axis, positions, () => 1);
    return multiply(x, cos, tf.neg(sin));
  },
  inverse: (x, axis, positions) => {
    const { isFirst, length } = axis;
    const [cos, sin] = wave(axis, positions, (f) => {
      // The frequencies that the first axis leaves out are the conjugates of those that it has, save 0 and L / 2.
      return (isFirst && f > 0 && 2 * f !== length ? 2 : 1) / length;
    }).map((matrix) => tf.transpose(matrix)) as [tf.Tensor, tf.Tensor];
    if (!isFirst) return multiply(x, cos, sin);
    const [re, im] = rows(x, axis.frequencies);
    return [tf.sub(rawMatMul(cos, re), rawMatMul(sin, im))];
  },
};

/** Our kernel with fast transforms of power-of-two lengths. */
export const kernelLines: LineTransforms = {
  length: (least) => 2 ** Math.ceil(Math.log2(least)),
  forward: (x, { length, frequencies }, { count, from }) => {
    const [re, im] = rows(x, count);
    const inputs: tf.NamedTensorMap = im === undefined ? { re } : { re, im };
    const attributes = { length, frequencies, count, from, inverse: false };
    return tf.engine().runKernel(FOURIER_LINES, inputs, attributes) as tf.Tensor[] as [tf.Tensor, tf.Tensor];
  },
  inverse: (x, { length, frequencies }, { count, from }) => {
    const [re, im] = rows(x, frequencies);
    const attributes = { length, frequencies, count, from, inverse: true };
    return tf.engine().runKernel(FOURIER_LINES, { re, im }, attributes) as tf.Tensor[] as [tf.Tensor, tf.Tensor];
  },
};

/** Both parts as matrices of so many rows. */
function rows<X extends MaybeReal>(x: X, count: number): X {
  return x.map((part) => tf.reshape(part, [count, -1])) as unknown as X;
}

/** `(C + iS) x` for the real matrices C and S [out, in] and x [in, ...]: [out, columns]. */
function multiply(x: MaybeReal, cos: tf.Tensor, sin: tf.Tensor): Complex {
  const [re, im] = rows(x, sizeAt(cos.shape, 1));
  if (im === undefined) return [rawMatMul(cos, re), rawMatMul(sin, re)];
  return [tf.sub(rawMatMul(cos, re), rawMatMul(sin, im)), tf.add(rawMatMul(cos, im), rawMatMul(sin, re))];
}

/** `weight(f) cos` and `sin` of `2 pi f p / L` [frequencies, positions], in float64 until they are stored. */
function wave(
  { length, frequencies }: Axis,
  { count, from }: Positions,
  weight: (f: number) => number,
): [tf.Tensor, tf.Tensor] {
  const matrix = (shift: number) => {
    const values = new Float32Array(frequencies * count);
    for (let f = 0, at = 0; f < frequencies; f++) {
      for (let p = 0; p < count; p++) {
        // Reduced first: cosines of large angles lose digits.
        const turn = ((f * (p + from + length)) % length) / length;
        values[at++] = weight(f) * Math.cos(2 * Math.PI * (turn - shift));
      }
    }
    return tf.tensor2d(values, [frequencies, count]);
  };
  return [matrix(0), matrix(0.25)];
}
