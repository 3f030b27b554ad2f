import * as tf from '@tensorflow/tfjs-core';
import { ConfigError } from './errors.ts';
import { assertShape, formatShape } from './shape.ts';
import { withGradient } from './withGradient.ts';

/**
 * Depthwise convolution of a map with zero padding of half a kernel: each channel has filters of its own.
 *
 * `y[b,i,j,c*M+m] = sum_{u,v} x[b, s*i+u-p, s*j+v-q, c] * filter[u,v,c,m]` (cross-correlation, no flip),
 * `p = floor(kh/2)`, `q = floor(kw/2)`.
 *
 * `x` [B, H, W, C], `filter` [kh, kw, C, M] (M = channel multiplier), odd kernel sizes
 * -> [B, ceil(H/s), ceil(W/s), C*M], as PyTorch's `Conv2d(groups=C, padding=k//2)`.
 * `'same'` of TensorFlow is not used: at stride 2 it samples other positions on even sizes.
 *
 * @throws ShapeError if the channels differ; ConfigError for an even kernel or a stride below 1
 */
export function depthwiseConv2d(x: tf.Tensor4D, filter: tf.Tensor4D, stride = 1): tf.Tensor4D {
  assertShape('x', x, ['B', 'H', 'W', filter.shape[2]], 'Its channels must be those of the filter [kh,kw,C,M].');
  assertKernel(filter.shape.slice(0, 2), stride);
  return withGradient(
    [x, filter],
    ([x, filter]) => ({ value: convolve(x, filter, stride), saved: [x, filter] }),
    (dy, [x, filter]) => [inputGradient(dy, x, filter, stride), filterGradient(dy, x, filter.shape, stride)],
  );
}

/**
 * Depthwise convolution over time and space: the 3-D form of {@link depthwiseConv2d}; stride acts on space only.
 *
 * `x` [B, T, H, W, C], `filter` [kt, kh, kw, C, M] -> [B, T, ceil(H/s), ceil(W/s), C*M]. No backend has a depthwise
 * conv3d, so it is computed as the sum over the kt temporal taps of a 2-D depthwise convolution of the frames that the
 * tap reaches (exact; structsa specification, section 6).
 */
export function depthwiseConv3d(x: tf.Tensor5D, filter: tf.Tensor5D, stride = 1): tf.Tensor5D {
  assertShape(
    'x',
    x,
    ['B', 'T', 'H', 'W', filter.shape[3]],
    'Its channels must be those of the filter [kt,kh,kw,C,M].',
  );
  assertKernel(filter.shape.slice(0, 3), stride);
  const taps = temporalTaps(x.shape[1], filter.shape[0]);
  return withGradient(
    [x, filter],
    ([x, filter]) => ({ value: convolveClip(x, filter, taps, stride), saved: [x, filter] }),
    (dy, [x, filter]) => clipGradients(dy, x, filter, taps, stride),
  );
}

function convolveClip(x: tf.Tensor5D, filter: tf.Tensor5D, taps: readonly TemporalTap[], stride: number): tf.Tensor5D {
  const [batch, frames] = x.shape;
  let total: tf.Tensor3D | undefined;
  let map: number[] = [];
  for (const tap of taps) {
    const y = convolve(takeFrames(x, tap.input, tap.count), filterOfTap(filter, tap.index), stride);
    map = y.shape.slice(1);
    const placed = placeFrames(y, batch, tap.output, frames);
    total = total ? tf.add(total, placed) : placed;
  }
  return tf.reshape(total as tf.Tensor3D, [batch, frames, ...map] as tf.Tensor5D['shape']);
}

function clipGradients(
  dy: tf.Tensor5D,
  x: tf.Tensor5D,
  filter: tf.Tensor5D,
  taps: readonly TemporalTap[],
  stride: number,
): tf.Tensor[] {
  const [batch, frames] = x.shape;
  let dx: tf.Tensor3D | undefined;
  const planes = new Map<number, tf.Tensor4D>();
  for (const tap of taps) {
    const xFrames = takeFrames(x, tap.input, tap.count);
    const dyFrames = takeFrames(dy, tap.output, tap.count);
    const plane = filterOfTap(filter, tap.index);
    const part = placeFrames(inputGradient(dyFrames, xFrames, plane, stride), batch, tap.input, frames);
    dx = dx ? tf.add(dx, part) : part;
    planes.set(tap.index, filterGradient(dyFrames, xFrames, plane.shape, stride));
  }
  // A clip shorter than the kernel leaves taps that touch padding only: their gradient is zero.
  const dFilter = Array.from({ length: filter.shape[0] }, (_, i) => planes.get(i) ?? tf.zeros(filter.shape.slice(1)));
  return [tf.reshape(dx as tf.Tensor3D, x.shape), tf.stack(dFilter)];
}

function assertKernel(kernel: readonly number[], stride: number): void {
  if (kernel.some((size) => size % 2 !== 1)) {
    throw new ConfigError('kernel', 'odd sizes', formatShape(kernel), 'An even kernel has no centre to pad around.');
  }
  if (!Number.isSafeInteger(stride) || stride < 1) throw new ConfigError('stride', 'an integer >= 1', stride);
}

function padding(kernelHeight: number, kernelWidth: number): tf.backend_util.ExplicitPadding {
  const [p, q] = [Math.floor(kernelHeight / 2), Math.floor(kernelWidth / 2)];
  return [
    [0, 0],
    [p, p],
    [q, q],
    [0, 0],
  ];
}

function convolve(x: tf.Tensor4D, filter: tf.Tensor4D, stride: number): tf.Tensor4D {
  const [kh, kw, channels, multiplier] = filter.shape;
  // A 1x1 filter without multiplier scales channels: a product, which every backend does faster than a convolution.
  if (kh === 1 && kw === 1 && multiplier === 1 && stride === 1) return tf.mul(x, tf.reshape(filter, [channels]));
  return tf.depthwiseConv2d(x, filter, stride, padding(kh, kw));
}

/**
 * The input's gradient is itself a convolution, with each filter turned by 180 degrees, of dy with zeros between its
 * values where there was a stride. The backends' own kernels for it are missing on wasm.
 */
function inputGradient(dy: tf.Tensor4D, x: tf.Tensor4D, filter: tf.Tensor4D, stride: number): tf.Tensor4D {
  const [kh, kw, channels, multiplier] = filter.shape;
  const [batch, height, width] = x.shape;
  const turned = tf.reverse(tf.reshape(filter, [kh, kw, channels * multiplier, 1]), [0, 1]) as tf.Tensor4D;
  const perFilter = convolve(stride === 1 ? dy : spread(dy, stride, height, width), turned, 1);
  if (multiplier === 1) return perFilter;
  const grouped = tf.reshape(perFilter, [batch * height * width, channels, multiplier]);
  return tf.reshape(tf.sum(grouped, 2), x.shape);
}

/** Puts value (i, j) of dy at (s*i, s*j) of a map of height x width that is zero elsewhere. */
function spread(dy: tf.Tensor4D, stride: number, height: number, width: number): tf.Tensor4D {
  const [batch, rows, columns, channels] = dy.shape;
  const gap: [number, number] = [0, stride - 1];
  const inRows = tf.pad(tf.reshape(dy, [batch * rows, columns, 1, channels]), [[0, 0], [0, 0], gap, [0, 0]]);
  const full = columns * stride * channels;
  const inBoth = tf.pad(tf.reshape(inRows, [batch, rows, 1, full]), [[0, 0], [0, 0], gap, [0, 0]]);
  const map = tf.reshape(inBoth, [batch, rows * stride, columns * stride, channels]);
  return tf.slice(map as tf.Tensor4D, [0, 0, 0, 0], [batch, height, width, channels]);
}

function filterGradient(
  dy: tf.Tensor4D,
  x: tf.Tensor4D,
  filterShape: tf.Tensor4D['shape'],
  stride: number,
): tf.Tensor4D {
  const attributes = { ...convAttributes(filterShape, stride), filterShape };
  return runGradientKernel(tf.DepthwiseConv2dNativeBackpropFilter, { x, dy }, attributes);
}

function runGradientKernel(
  kernel: string,
  inputs: Record<string, tf.Tensor4D>,
  attributes: tf.NamedAttrMap,
): tf.Tensor4D {
  const backend = tf.getBackend();
  if (!tf.getKernel(kernel, backend)) {
    const hint =
      backend === 'wasm' ? "To train on wasm, import '@saccade/tensor-ops/wasm' once." : 'Choose another one.';
    throw new ConfigError('backend', `one that has the kernel ${kernel}`, backend, hint);
  }
  return tf.engine().runKernel(kernel, inputs, attributes) as tf.Tensor4D;
}

function convAttributes(filterShape: readonly number[], stride: number) {
  const [kh, kw] = filterShape as [number, number];
  return { strides: [stride, stride], dilations: [1, 1], pad: padding(kh, kw) };
}

/** Tap `index` adds input frames [input, input+count) to output frames [output, output+count). */
interface TemporalTap {
  readonly index: number;
  readonly input: number;
  readonly output: number;
  readonly count: number;
}

function temporalTaps(frames: number, kernel: number): TemporalTap[] {
  return Array.from({ length: kernel }, (_, index) => {
    const shift = index - Math.floor(kernel / 2);
    return { index, input: Math.max(0, shift), output: Math.max(0, -shift), count: frames - Math.abs(shift) };
  }).filter((tap) => tap.count > 0);
}

/** Frames [start, start+count) as a batch of maps: [B, T, H, W, C] -> [B*count, H, W, C]. */
function takeFrames(x: tf.Tensor5D, start: number, count: number): tf.Tensor4D {
  const [batch, frames, ...map] = x.shape;
  const [height, width, channels] = map;
  if (count === frames) return tf.reshape(x, [batch * frames, height, width, channels]);
  // Rank 3: webgpu's slice is wrong at rank 5 and above.
  const flat = tf.reshape(x, [batch, frames, height * width * channels]);
  const part = tf.slice(flat, [0, start, 0], [batch, count, height * width * channels]);
  return tf.reshape(part, [batch * count, height, width, channels]);
}

/** The inverse of {@link takeFrames}, zero elsewhere: [B*count, H, W, C] -> [B, frames, H*W*C]. */
function placeFrames(maps: tf.Tensor4D, batch: number, start: number, frames: number): tf.Tensor3D {
  const [total, height, width, channels] = maps.shape;
  const count = total / batch;
  const flat = tf.reshape(maps, [batch, count, height * width * channels]) as tf.Tensor3D;
  if (count === frames) return flat;
  return tf.pad(flat, [
    [0, 0],
    [start, frames - start - count],
    [0, 0],
  ]);
}

/** The filter [kh, kw, C, M] of one temporal tap. */
function filterOfTap(filter: tf.Tensor5D, index: number): tf.Tensor4D {
  const [taps, kh, kw, channels, multiplier] = filter.shape;
  const flat = tf.reshape(filter, [taps, kh * kw * channels * multiplier]);
  const row = tf.slice(flat, [index, 0], [1, kh * kw * channels * multiplier]);
  return tf.reshape(row, [kh, kw, channels, multiplier]);
}
