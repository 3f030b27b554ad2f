import { product } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

// PyTorch's maps are [B, C, (T,) H, W], ours [B, (T,) H, W, C]. This is the one place that turns one into the other.

/** [B, C, ...grid] -> [B, ...grid, C]. */
export function channelsLast<T extends tf.Tensor>(x: tf.Tensor): T {
  const [batch, channels, ...grid] = x.shape as [number, number, ...number[]];
  return tf.tidy(() => {
    const rows = tf.transpose(tf.reshape(x, [batch, channels, product(grid)]), [0, 2, 1]);
    return tf.reshape(rows, [batch, ...grid, channels]) as T;
  });
}

/** [B, ...grid, C] -> [B, C, ...grid]. */
export function channelsFirst(x: tf.Tensor): tf.Tensor {
  const [batch, ...rest] = x.shape as [number, ...number[]];
  const [grid, channels] = [rest.slice(0, -1), rest.at(-1) as number];
  return tf.tidy(() => {
    const rows = tf.transpose(tf.reshape(x, [batch, product(grid), channels]), [0, 2, 1]);
    return tf.reshape(rows, [batch, channels, ...grid]);
  });
}
