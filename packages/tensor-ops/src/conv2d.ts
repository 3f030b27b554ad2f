import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.ts';
import { assertInteger, assertShape } from './shape.ts';

/** Options of {@link conv2d}. */
export interface Conv2dOptions {
  /** default 1 */
  readonly stride?: number;
  /** rows (and columns) of zeros on every side, less than the kernel has; [rows, columns] where they differ; default 0 */
  readonly padding?: number | readonly [number, number];
}

/**
 * Convolution of maps: `y[b,i,j,o] = sum over u, v, c of x[b, s i + u - p, s j + v - q, c] * filter[u,v,c,o]`
 * (cross-correlation, no flip).
 *
 * `x` [B, H, W, C], `filter` [kh, kw, C, O] -> [B, floor((H + 2p - kh)/s) + 1, floor((W + 2q - kw)/s) + 1, O], as PyTorch's
 * `Conv2d`. `'same'` of TensorFlow is not used: at stride 2 it samples other positions on even sizes. Its gradients are those
 * of this package's table, which compute what is asked for only.
 *
 * @throws ShapeError if the channels differ or the padded map is smaller than the filter; ConfigError for a stride below
 * 1 or a padding that cannot be
 */
export function conv2d(x: tf.Tensor4D, filter: tf.Tensor4D, options: Conv2dOptions = {}): tf.Tensor4D {
  assertShape('x', x, ['B', 'H', 'W', filter.shape[2]], 'Its channels must be those of the filter [kh,kw,C,O].');
  const { stride = 1, padding = 0 } = options;
  assertInteger('stride', stride, 1);
  const [rows, columns] = typeof padding === 'number' ? [padding, padding] : padding;
  assertFits(x, filter, [rows, columns]);
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], [rows, rows], [columns, columns], [0, 0]]; // biome-ignore format: one pair an axis
  return tf.conv2d(x, filter, stride, pad);
}

function assertFits({ shape }: tf.Tensor4D, filter: tf.Tensor4D, padding: readonly [number, number]): void {
  padding.forEach((zeros, axis) => {
    const kernel = filter.shape[axis] as number;
    assertInteger('padding', zeros, 0);
    if (zeros >= kernel) throw new ConfigError('padding', `less than the kernel, ${kernel}`, zeros);
    const size = shape[axis + 1] as number;
    if (size + 2 * zeros < kernel) {
      throw new ShapeError({
        argument: 'x',
        expected: `${axis === 0 ? 'a height' : 'a width'} of at least ${kernel - 2 * zeros}, one filter`,
        actual: `${size}`,
      });
    }
  });
}
