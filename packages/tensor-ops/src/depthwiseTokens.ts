import * as tf from '@tensorflow/tfjs-core';
import { depthwiseConv2d, depthwiseConv3d } from './depthwiseConv.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { usesKernel } from './kernelMode.ts';
import { ATTENTION_HEAD_LIMIT, DEPTHWISE_TOKENS } from './kernels/names.ts';
import { splitHeads } from './matMul.ts';
import { assertInteger, assertShape, formatShape, product } from './shape.ts';
import { bindingLimit } from './webgpu/bindingLimit.ts';

/** A grid of tokens: [H, W] of an image, [T, H, W] of a clip, row-major. */
type TokenGrid = readonly number[];

/** Options of {@link depthwiseTokens}. */
export interface DepthwiseTokensOptions {
  /** where the N tokens lie: [H, W] or [T, H, W] */
  readonly grid: TokenGrid;
  /** must divide C */
  readonly heads: number;
  /** spatial stride; default 1. Time is never strided. */
  readonly stride?: number;
}

/**
 * Structural keys or values: the tokens of a map convolved with D filters a channel, split into heads.
 *
 * `y[b, head, d*L + l, e] = sum over taps m of x[b, position of tap m at l, c] * filter[m, c, d]`, `c = head * C/h + e`
 * (cross-correlation, zero padding of half a kernel).
 *
 * `x` [B, N, C] on `grid`, `filter` [...kernel, C, D] with odd kernel sizes, one for each axis of the grid, or
 * [...kernel, 1, D]: the same filters for every channel -> [B, h, D*L, C/h], L positions of the strided grid (ceil(n/s) in
 * space, all of time), **one detector after the other**: entry `d*L + l`. It is {@link depthwiseConv2d} or
 * {@link depthwiseConv3d} with multiplier D and {@link splitHeads} in one; on webgpu a kernel of ours does it in one pass
 * (see {@link setKernelMode}), and its gradients, which do not depend on the order in which a GPU works.
 *
 * @throws ShapeError if x, filter and grid do not belong together, or a GPU device cannot bind tensors of this size;
 *   ConfigError for an even kernel, a stride below 1 or heads that do not divide C
 */
export function depthwiseTokens(x: tf.Tensor3D, filter: tf.Tensor, options: DepthwiseTokensOptions): tf.Tensor4D {
  const { grid, heads, stride = 1 } = options;
  assertTokenInputs(x, filter, grid, stride);
  const channels = x.shape[2];
  if (!(heads >= 1 && channels % heads === 0)) {
    throw new ConfigError('heads', `a positive integer that divides C = ${channels}`, heads);
  }
  if (usesKernel(DEPTHWISE_TOKENS, tokensRefusal(x, filter))) {
    // With a gradient: the kernel brings its own.
    return tf.engine().runKernel(DEPTHWISE_TOKENS, { x, filter }, { grid: [...grid], heads, stride }) as tf.Tensor4D;
  }
  return tf.tidy(
    () =>
      tf.concat(
        depthwiseSets(x, filter, grid, stride).map((set) => splitHeads(set, heads)),
        2,
      ) as tf.Tensor4D,
  );
}

/**
 * How many samples at once are to be attended to as **one** set of {@link depthwiseTokens}, D*L of them, each: where the
 * kernels of depthwiseTokens and {@link attention} are to be used, as many as the GPU device can bind the result of. 0
 * elsewhere, or where one sample is too much: then {@link depthwiseSets}, one after the other, take less memory.
 *
 * @param limit bytes of a result; default: the limit of the device
 * @throws as depthwiseTokens, and in mode `fused` (see {@link setKernelMode}) where the kernels cannot be used
 */
export function depthwiseTokensBatch(
  x: tf.Tensor3D,
  filter: tf.Tensor,
  { grid, heads, stride = 1 }: DepthwiseTokensOptions,
  limit = bindingLimit(),
): number {
  assertTokenInputs(x, filter, grid, stride);
  const [height, width] = grid.slice(-2) as [number, number];
  const positions = product(grid.slice(0, -2)) * Math.ceil(height / stride) * Math.ceil(width / stride);
  const [channels, detectors] = [x.shape[2], filter.shape.at(-1) as number];
  const bytes = 4 * positions * channels * detectors;
  const refusal =
    bytes > limit
      ? `results of at most ${limit} bytes, not ${bytes} for one sample`
      : channels > heads * ATTENTION_HEAD_LIMIT
        ? `heads of up to ${ATTENTION_HEAD_LIMIT} channels for attention, not ${channels / heads}`
        : tokensRefusal(x, filter);
  return usesKernel(DEPTHWISE_TOKENS, refusal) ? Math.floor(limit / bytes) : 0;
}

/** Why the kernel does not take these inputs; `undefined` if it does. */
function tokensRefusal(...inputs: tf.Tensor[]): string | undefined {
  const other = inputs.find((input) => input.dtype !== 'float32');
  if (other !== undefined) return `float32, not ${other.dtype}`;
  return inputs.some((input) => input.size === 0) ? 'tensors that are not empty' : undefined;
}

/**
 * The D maps of {@link depthwiseTokens} one by one and before the heads are split, by tfjs' operations on every backend.
 *
 * @returns D tensors [B, L, C]
 * @throws as depthwiseTokens
 */
export function depthwiseSets(x: tf.Tensor3D, filter: tf.Tensor, grid: TokenGrid, stride = 1): tf.Tensor3D[] {
  assertTokenInputs(x, filter, grid, stride);
  const [batch, , channels] = x.shape;
  const kernel = filter.shape.slice(0, -2);
  const [own, detectors] = filter.shape.slice(-2) as [number, number];
  const taps = product(kernel);
  return tf.tidy(() => {
    const map = tf.reshape(x, [batch, ...grid, channels]);
    // Rank 3 for the cuts: webgpu's slice is wrong at rank 5.
    return tf.split(tf.reshape(filter, [taps, own, detectors]), detectors, 2).map((part) => {
      const full = own === channels ? part : tf.tile(part, [1, channels, 1]);
      const detector = tf.reshape(full, [...kernel, channels, 1]);
      const y =
        grid.length === 3
          ? depthwiseConv3d(map as tf.Tensor5D, detector as tf.Tensor5D, stride)
          : depthwiseConv2d(map as tf.Tensor4D, detector as tf.Tensor4D, stride);
      return tf.reshape(y, [batch, -1, channels]) as tf.Tensor3D;
    });
  });
}

function assertTokenInputs(x: tf.Tensor, filter: tf.Tensor, grid: TokenGrid, stride: number): void {
  if ((grid.length !== 2 && grid.length !== 3) || grid.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ConfigError('grid', '[H,W] or [T,H,W], positive integers', grid);
  }
  assertShape('x', x, ['B', product(grid), 'C'], `The grid ${formatShape(grid)} has ${product(grid)} positions.`);
  assertInteger('stride', stride, 1);
  assertTokenFilter('filter', filter, grid.length, x.shape[2] as number);
}

/**
 * Throws unless `filter` is one of {@link depthwiseTokens} on a grid of so many axes: [...kernel, C or 1, D], odd kernel.
 *
 * @throws ShapeError; ConfigError for an even kernel
 */
export function assertTokenFilter(argument: string, filter: tf.Tensor, axes: number, channels: number): void {
  const kernel = filter.shape.slice(0, -2);
  const [own, detectors] = filter.shape.slice(-2);
  if (kernel.length !== axes || (own !== channels && own !== 1) || detectors === 0) {
    const expected = `shape [${axes === 3 ? 'kt,' : ''}kh,kw,${channels} or 1,D >= 1] on a grid of ${axes} axes`;
    throw new ShapeError({ argument, expected, actual: formatShape(filter.shape) });
  }
  if (kernel.some((size) => size % 2 !== 1)) {
    throw new ConfigError('kernel', 'odd sizes', formatShape(kernel), 'An even kernel has no centre to pad around.');
  }
}
