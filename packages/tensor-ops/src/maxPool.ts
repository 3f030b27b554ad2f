import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.ts';
import { MAX_POOL_GRAD } from './kernels/names.ts';
import { assertInteger, assertShape } from './shape.ts';
import { withGradient } from './withGradient.ts';

/** Options of {@link maxPool2d}. */
export interface MaxPoolOptions {
  /** side k of the window */
  readonly size: number;
  /** default: the size */
  readonly stride?: number;
  /** rows and columns of -infinity on every side, at most half the size; default 0 */
  readonly padding?: number;
}

/**
 * Largest value in each window of a map: `y[b,i,j,c] = max over u, v < k of x[b, s i + u - p, s j + v - p, c]`, positions
 * outside left out.
 *
 * `x` [B, H, W, C] -> [B, floor((H + 2p - k)/s) + 1, floor((W + 2p - k)/s) + 1, C], as PyTorch's `MaxPool2d`. The gradient
 * goes to the first of several equal maxima, row by row, as there (on webgpu without `@saccade/tensor-ops/webgpu`: to the
 * last).
 *
 * @throws ShapeError unless x is a map of at least one window; ConfigError for sizes that cannot be
 */
export function maxPool2d(x: tf.Tensor4D, { size, stride = size, padding = 0 }: MaxPoolOptions): tf.Tensor4D {
  assertShape('x', x, ['B', 'H', 'W', 'C']);
  assertInteger('size', size, 1);
  assertInteger('stride', stride, 1);
  assertInteger('padding', padding, 0);
  if (2 * padding > size) throw new ConfigError('padding', `at most half the window, ${size}`, padding);
  const [, height, width] = x.shape;
  if (Math.min(height, width) + 2 * padding < size) {
    const expected = `a map of at least ${size - 2 * padding}x${size - 2 * padding}, one window`;
    throw new ShapeError({ argument: 'x', expected, actual: `${height}x${width}` });
  }
  return withGradient(
    [x],
    ([x]) => {
      const y = tf.maxPool(x, size, stride, padding);
      return { value: y, saved: [x, y] };
    },
    (dy, [x, y]) => [gradient(dy, x, y, { filterSize: size, strides: stride, pad: padding })],
  );
}

function gradient(dy: tf.Tensor4D, x: tf.Tensor4D, y: tf.Tensor4D, attributes: tf.NamedAttrMap): tf.Tensor {
  const backend = tf.getBackend();
  if (tf.getKernel(MAX_POOL_GRAD, backend)) {
    return tf.engine().runKernel(MAX_POOL_GRAD, { dy, x }, attributes) as tf.Tensor;
  }
  if (backend === 'wasm') {
    const hint = "tfjs' own is wrong. To train on wasm, import '@saccade/tensor-ops/wasm' once.";
    throw new ConfigError('backend', `one that has the kernel ${MAX_POOL_GRAD}`, backend, hint);
  }
  return tf.engine().runKernel(tf.MaxPoolGrad, { dy, input: x, output: y }, attributes) as tf.Tensor;
}
