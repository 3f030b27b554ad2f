import { matMul, product } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { offsetIndices, type SpreadOptions, tableShape } from './tables.ts';

/**
 * All pairs at once: `sum_m R[m-n] o x_m`, `x` [B, h, N, c], `r` [h, c, ...offsets] -> [B, h, N, c].
 */
export function denseChannelCorrelation(x: tf.Tensor4D, r: tf.Tensor, spread: SpreadOptions): tf.Tensor4D {
  const [batch, heads, tokens, channels] = x.shape;
  return tf.tidy(() => {
    const weights = channelWeights(r, spread);
    // [h*c, N, B]: the samples of the batch share the tables.
    const columns = tf.reshape(tf.transpose(x, [1, 3, 2, 0]), [heads * channels, tokens, batch]);
    const sums = tf.reshape(matMul(weights, columns), [heads, channels, tokens, batch]);
    return tf.transpose(sums, [3, 0, 2, 1]) as tf.Tensor4D;
  });
}

/** `R[h, c][m - n]` for Q queries, [h, c, ...offsets] -> [h * c, Q, N]. */
export function channelWeights(r: tf.Tensor, { grid, padding, rows }: SpreadOptions): tf.Tensor3D {
  const [heads, channels] = r.shape as [number, number];
  const indices = offsetIndices(grid, padding, rows);
  const tokens = product(grid);
  return tf.tidy(() => {
    const flat = tf.reshape(r, [heads * channels, product(tableShape(grid, padding))]);
    const gathered = tf.gather(flat, tf.tensor1d(indices, 'int32'), 1);
    return tf.reshape(gathered, [heads * channels, indices.length / tokens, tokens]) as tf.Tensor3D;
  });
}
