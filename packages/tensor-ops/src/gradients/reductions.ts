import * as tf from '@tensorflow/tfjs-core';
import { type Entry, fromGradient, fromInput, positiveAxes } from './entry.ts';

type Axes = number | number[] | null | undefined;

/** The shape of `x` with the reduced axes kept as 1. */
function keptShape(x: tf.Tensor, axes: readonly number[]): number[] {
  return x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** Repeats the gradient of a reduction along the axes that were reduced. */
function spread(dy: tf.Tensor, x: tf.Tensor, axes: readonly number[]): tf.Tensor {
  return tf.mul(tf.reshape(dy, keptShape(x, axes)), tf.ones(x.shape));
}

/** The gradient of a largest or smallest value goes to the elements that have it, in equal parts. */
function toExtremes(dy: tf.Tensor, x: tf.Tensor, y: tf.Tensor, axes: readonly number[]): tf.Tensor {
  const kept = keptShape(x, axes);
  const mask = tf.cast(tf.equal(x, tf.reshape(y, kept)), 'float32');
  return tf.mul(mask, tf.div(tf.reshape(dy, kept), tf.sum(mask, [...axes], true)));
}

function extreme(kernelName: string, axesOf: (attributes: { axis?: Axes; reductionIndices?: Axes }) => Axes): Entry {
  return {
    kernelName,
    inputsToSave: ['x'],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attributes) => ({
      x: () =>
        toExtremes(
          dy as tf.Tensor,
          x as tf.Tensor,
          y as tf.Tensor,
          positiveAxes(axesOf(attributes), (x as tf.Tensor).rank),
        ),
    }),
  };
}

/**
 * Sums of the first i: element i takes part in all sums from i on, so its gradient is the sum of dy from i on.
 *
 * The direction is turned by reversing the tensor, not by the flag: with the flag, webgpu keeps the axis' length of the
 * first call in its shader and is wrong for any other length.
 */
function sumsGradient(dy: tf.Tensor, axis: number, exclusive: boolean, reverse: boolean): tf.Tensor {
  if (reverse) return tf.cumsum(dy, axis, exclusive);
  return tf.reverse(tf.cumsum(tf.reverse(dy, axis), axis, exclusive), axis);
}

export const reductions: readonly Entry[] = [
  fromInput<{ axis?: Axes }>(tf.Sum, (dy, x, { axis }) => spread(dy, x, positiveAxes(axis, x.rank))),
  fromInput<{ axis?: Axes }>(tf.Mean, (dy, x, { axis }) => {
    const axes = positiveAxes(axis, x.rank);
    const count = tf.util.sizeFromShape(axes.map((a) => x.shape[a] as number));
    return spread(tf.div(dy, count), x, axes);
  }),
  extreme(tf.Max, ({ reductionIndices }) => reductionIndices),
  extreme(tf.Min, ({ axis }) => axis),
  fromGradient<{ axis: number; exclusive: boolean; reverse: boolean }>(tf.Cumsum, (dy, { axis, exclusive, reverse }) =>
    // A negative axis corrupts wasm's heap and gives garbage on webgpu.
    sumsGradient(dy, axis < 0 ? axis + dy.rank : axis, exclusive, reverse),
  ),
];
