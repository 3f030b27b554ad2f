import * as tf from '@tensorflow/tfjs-core';
import { binary, type Entry, fromInput, fromOutput, indicator } from './entry.ts';

/** Below it a base counts as not positive: the logarithm of 0 would make 0 * infinity out of a gradient of 0. */
const TINY = 1e-30;

/** d/de b^e = b^e log b, and 0 where b <= 0: there the power is defined for isolated exponents only. */
function powerLog(base: tf.Tensor): tf.Tensor {
  return tf.mul(tf.log(tf.maximum(base, TINY)), indicator(tf.greater(base, TINY)));
}

/** e b^(e-1), and 0 for e = 0 even where b = 0. */
function powerSlope(base: tf.Tensor, exponent: tf.Tensor): tf.Tensor {
  return tf.mul(exponent, tf.pow(base, tf.sub(exponent, indicator(tf.notEqual(exponent, 0)))));
}

/** Two operands, with broadcasting. */
export const arithmetic: readonly Entry[] = [
  // a + b
  binary(
    tf.Add,
    (dy) => dy,
    (dy) => dy,
  ),
  // a - b
  binary(
    tf.Sub,
    (dy) => dy,
    (dy) => tf.neg(dy),
  ),
  // a b
  binary(
    tf.Multiply,
    (dy, _, b) => tf.mul(dy, tf.cast(b, 'float32')),
    (dy, a) => tf.mul(dy, tf.cast(a, 'float32')),
  ),
  // a / b
  binary(
    tf.RealDiv,
    (dy, _, b) => tf.div(dy, tf.cast(b, 'float32')),
    (dy, a, b) => tf.neg(tf.div(tf.mul(dy, tf.cast(a, 'float32')), tf.square(tf.cast(b, 'float32')))),
  ),
  // (a - b)^2
  binary(
    tf.SquaredDifference,
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(a, b))),
    (dy, a, b) => tf.mul(dy, tf.mul(2, tf.sub(b, a))),
  ),
  // max(a, b); a tie belongs to a
  binary(
    tf.Maximum,
    (dy, a, b) => tf.mul(dy, indicator(tf.greaterEqual(a, b))),
    (dy, a, b) => tf.mul(dy, indicator(tf.less(a, b))),
  ),
  // min(a, b); a tie belongs to a
  binary(
    tf.Minimum,
    (dy, a, b) => tf.mul(dy, indicator(tf.lessEqual(a, b))),
    (dy, a, b) => tf.mul(dy, indicator(tf.greater(a, b))),
  ),
  // a^b
  binary(
    tf.Pow,
    (dy, a, b) => tf.mul(dy, powerSlope(a, b)),
    (dy, a, b) => tf.mul(dy, tf.mul(tf.pow(a, b), powerLog(a))),
  ),
  // The sum of a list of tensors of equal shape: its gradient for each of them is dy.
  {
    kernelName: tf.AddN,
    saveAllInputs: true,
    gradFunc: (dy, saved) => Object.fromEntries(saved.map((_, i) => [i, () => tf.clone(dy as tf.Tensor)])),
  },
];

/** One operand. */
export const elementwise: readonly Entry[] = [
  fromInput(tf.Abs, (dy, x) => tf.mul(dy, tf.sign(x))),
  fromInput(tf.Square, (dy, x) => tf.mul(dy, tf.mul(2, tf.cast(x, 'float32')))),
  fromOutput(tf.Sqrt, (dy, y) => tf.div(dy, tf.mul(2, y))),
  // d x^(-1/2) = -1/2 x^(-3/2) = -y^3 / 2
  fromOutput(tf.Rsqrt, (dy, y) => tf.mul(dy, tf.mul(-0.5, tf.mul(y, tf.square(y))))),
  fromOutput(tf.Reciprocal, (dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
  fromOutput(tf.Exp, (dy, y) => tf.mul(dy, y)),
  fromOutput(tf.Expm1, (dy, y) => tf.mul(dy, tf.add(y, 1))),
  fromInput(tf.Log, (dy, x) => tf.div(dy, x)),
  fromInput(tf.Log1p, (dy, x) => tf.div(dy, tf.add(x, 1))),
  fromInput(tf.Sin, (dy, x) => tf.mul(dy, tf.cos(x))),
  fromInput(tf.Cos, (dy, x) => tf.neg(tf.mul(dy, tf.sin(x)))),
  // 2 / sqrt(pi) exp(-x^2)
  fromInput(tf.Erf, (dy, x) => tf.mul(dy, tf.mul(2 / Math.sqrt(Math.PI), tf.exp(tf.neg(tf.square(x)))))),
  // Inside the bounds, both included, the gradient passes.
  fromInput<{ clipValueMin: number; clipValueMax: number }>(tf.ClipByValue, (dy, x, { clipValueMin, clipValueMax }) =>
    tf.mul(dy, tf.mul(indicator(tf.greaterEqual(x, clipValueMin)), indicator(tf.lessEqual(x, clipValueMax)))),
  ),
];
