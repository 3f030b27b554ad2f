import * as tf from '@tensorflow/tfjs-core';
import { prefersKernel } from './kernelMode.ts';
import { GELU, GELU_GRAD } from './kernels/names.ts';
import { withGradient } from './withGradient.ts';

const SQRT_HALF = Math.SQRT1_2;
const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

/**
 * Exact GELU: `y = x Phi(x)`, `Phi(x) = (1 + erf(x / sqrt 2)) / 2`; the tanh form differs by up to 5e-4.
 *
 * Any shape. Gradient: `Phi(x) + x phi(x)` with `phi` the standard normal density. The absolute error is that of the
 * backend's `erf`, 1.5e-7. Source: Hendrycks and Gimpel, arXiv 1606.08415.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  if (x.dtype === 'float32' && prefersKernel(GELU)) return fusedGelu(x);
  return withGradient(
    [x],
    ([x]) => ({ value: tf.mul(x, normalCdf(x)) as T, saved: [x] }),
    (dy, [x]) => {
      const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), INV_SQRT_2PI);
      return [tf.mul(dy, tf.add(normalCdf(x), tf.mul(x, density)))];
    },
  );
}

function fusedGelu<T extends tf.Tensor>(x: T): T {
  return withGradient(
    [x],
    ([x]) => ({ value: tf.engine().runKernel(GELU, { x }) as T, saved: [x] }),
    (dy, [x]) => [tf.engine().runKernel(GELU_GRAD, { dy, x }) as tf.Tensor],
  );
}

function normalCdf(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, SQRT_HALF)), 1), 0.5);
}
