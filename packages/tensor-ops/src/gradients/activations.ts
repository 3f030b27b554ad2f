import * as tf from '@tensorflow/tfjs-core';
import { sumToShape } from '../matMul.ts';
import { at, type Entry, fromInput, fromOutput, indicator } from './entry.ts';

export const activations: readonly Entry[] = [
  // From the output, which the next layer keeps anyway. `step` is one pass; a comparison with a number is slow on wasm.
  fromOutput(tf.Relu, (dy, y) => tf.mul(dy, tf.step(y))),
  fromInput(tf.Relu6, (dy, x) => tf.mul(dy, tf.mul(indicator(tf.greater(x, 0)), indicator(tf.less(x, 6))))),
  // 1 for x > 0, else alpha
  fromInput<{ alpha: number }>(tf.LeakyRelu, (dy, x, { alpha }) =>
    tf.mul(dy, tf.add(alpha, tf.mul(1 - alpha, indicator(tf.greater(x, 0))))),
  ),
  // y = e^x - 1 for x <= 0: dy/dx = y + 1 there, and 1 above.
  fromOutput(tf.Elu, (dy, y) => tf.mul(dy, tf.add(1, tf.minimum(y, 0)))),
  // y = x for x > 0, else alpha x; alpha broadcasts
  {
    kernelName: tf.Prelu,
    inputsToSave: ['x', 'alpha'],
    gradFunc: (dy, saved) => {
      const [x, alpha] = [at(saved, 0), at(saved, 1)];
      const negative = () => indicator(tf.lessEqual(x, 0));
      return {
        x: () => tf.mul(dy as tf.Tensor, tf.add(1, tf.mul(negative(), tf.sub(alpha, 1)))),
        alpha: () => sumToShape(tf.mul(dy as tf.Tensor, tf.minimum(x, 0)), alpha.shape),
      };
    },
  },
  fromOutput(tf.Sigmoid, (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  fromOutput(tf.Tanh, (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  fromInput(tf.Softplus, (dy, x) => tf.mul(dy, tf.sigmoid(x))),
  // y = softmax(x) over the last axis: dx = y (dy - sum(dy y))
  fromOutput<{ dim: number }>(
    tf.Softmax,
    (dy, y, { dim }) => {
      const weighted = tf.mul(dy, y);
      return tf.sub(weighted, tf.mul(tf.sum(weighted, dim, true), y));
    },
    'logits',
  ),
];
