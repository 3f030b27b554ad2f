import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from './withGradient.ts';

/** What a length is at least, before it divides: PyTorch's `F.normalize`. */
const SMALLEST = 1e-12;

/**
 * Vectors of length 1 along the last dimension: `y = x / max(|x|, 1e-12)`; a vector of zeros stays zero, with a gradient
 * that is finite.
 *
 * `x` [..., C] -> the same shape. Gradient: `dx = (dy - y (y . dy)) / |x|`; `dy / 1e-12` for vectors shorter than that.
 */
export function l2Normalize<T extends tf.Tensor>(x: T): T {
  return withGradient(
    [x],
    ([x]) => {
      const length = tf.sqrt(tf.sum(tf.square(x), -1, true));
      const inverse = tf.div(1, tf.maximum(length, SMALLEST));
      const y = tf.mul(x, inverse) as T;
      return { value: y, saved: [y, inverse, tf.cast(tf.greater(length, SMALLEST), 'float32')] as tf.Tensor[] };
    },
    (dy, [y, inverse, long]) => {
      const along = tf.mul(tf.sum(tf.mul(dy, y as tf.Tensor), -1, true), long as tf.Tensor);
      return [tf.mul(tf.sub(dy, tf.mul(y as tf.Tensor, along)), inverse as tf.Tensor)];
    },
  );
}
