import * as tf from '@tensorflow/tfjs-core';
import { usesKernel } from './kernelMode.ts';
import { AXIS_GATES, AXIS_GATES_GRAD } from './kernels/names.ts';
import { assertShape, formatShape } from './shape.ts';
import { withGradient } from './withGradient.ts';

/** Gates of a clip that are constant along one axis each. B batch, T frames, H rows, W columns, C channels. */
export interface AxisGates {
  /** [B, H, W, C], one for all frames */
  readonly time: tf.Tensor4D;
  /** [B, T, W, C], one for all rows */
  readonly height: tf.Tensor4D;
  /** [B, T, H, C], one for all columns */
  readonly width: tf.Tensor4D;
}

/**
 * A clip scaled by the mean of three gates:
 * `y[b,t,h,w,c] = x[b,t,h,w,c] * (time[b,h,w,c] + height[b,t,w,c] + width[b,t,h,c]) / 3`.
 *
 * `x` [B, T, H, W, C] -> the same shape. In one pass, without the sum of the gates in memory, by kernels of ours on wasm
 * and webgpu (see {@link setKernelMode}).
 *
 * @throws ShapeError if a gate's shape is not as said
 */
export function scaleByAxisGates(x: tf.Tensor5D, { time, height, width }: AxisGates): tf.Tensor5D {
  assertShape('x', x, ['B', 'T', 'H', 'W', 'C']);
  const [batch, frames, rows, columns, channels] = x.shape;
  const hint = `x is ${formatShape(x.shape)}.`;
  assertShape('time', time, [batch, rows, columns, channels], hint);
  assertShape('height', height, [batch, frames, columns, channels], hint);
  assertShape('width', width, [batch, frames, rows, channels], hint);
  return withGradient(
    [x, time, height, width],
    ([x, time, height, width]) => ({ value: forward(x, time, height, width), saved: [x, time, height, width] }),
    (dy, saved) => backward(dy, ...saved),
  );
}

type Gate = tf.Tensor4D;

function forward(x: tf.Tensor5D, time: Gate, height: Gate, width: Gate): tf.Tensor5D {
  if (usesKernel(AXIS_GATES)) {
    return tf.engine().runKernel(AXIS_GATES, { x, time, height, width }) as tf.Tensor5D;
  }
  return tf.tidy(() => tf.mul(x, meanGate(x.shape, time, height, width)));
}

/** The mean of the gates at the size of the clip; by additions of rank 4 at most, for webgpu's sake. */
function meanGate(shape: tf.Tensor5D['shape'], time: Gate, height: Gate, width: Gate): tf.Tensor5D {
  const [batch, frames, rows, columns, channels] = shape;
  const row = columns * channels;
  const timeAndHeight = tf.add(tf.reshape(time, [batch, 1, rows, row]), tf.reshape(height, [batch, frames, 1, row]));
  const lines = batch * frames * rows;
  const sum = tf.add(tf.reshape(timeAndHeight, [lines, columns, channels]), tf.reshape(width, [lines, 1, channels]));
  return tf.reshape(tf.div(sum, 3), shape) as tf.Tensor5D;
}

function backward(dy: tf.Tensor5D, x: tf.Tensor5D, time: Gate, height: Gate, width: Gate): tf.Tensor[] {
  if (usesKernel(AXIS_GATES_GRAD)) {
    return tf.engine().runKernel(AXIS_GATES_GRAD, { dy, x, time, height, width }) as unknown as tf.Tensor[];
  }
  const [batch, frames, rows, columns, channels] = x.shape;
  const row = columns * channels;
  const dx = tf.mul(dy, meanGate(x.shape, time, height, width));
  const dSum = tf.div(tf.mul(dy, x), 3);
  const summed = (shape: number[], gate: Gate) => tf.reshape(tf.sum(tf.reshape(dSum, shape), 1), gate.shape);
  return [
    dx,
    summed([batch, frames, rows * row], time),
    summed([batch * frames, rows, row], height),
    summed([batch * frames * rows, columns, channels], width),
  ];
}
