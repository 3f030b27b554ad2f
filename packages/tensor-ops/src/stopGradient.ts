import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from './withGradient.ts';

/** The value of `x`, with a gradient of zero: `y = x`, `dy/dx := 0`. tfjs has no such operation. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  return withGradient(
    [x],
    ([x]) => ({ value: tf.clone(x), saved: [] }),
    (dy) => [tf.zerosLike(dy)],
  );
}
