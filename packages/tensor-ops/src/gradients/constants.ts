import * as tf from '@tensorflow/tfjs-core';
import { type Entry, zero } from './entry.ts';

/**
 * Functions that are constant almost everywhere. tfjs has no gradient at all for the comparisons, so that a gradient
 * through `tf.where(tf.greater(x, 0), ...)` throws.
 */
export const constants: readonly Entry[] = [
  ...[tf.Equal, tf.NotEqual, tf.Greater, tf.GreaterEqual, tf.Less, tf.LessEqual].map((kernel) =>
    zero(kernel, ['a', 'b']),
  ),
  ...[tf.LogicalAnd, tf.LogicalOr].map((kernel) => zero(kernel, ['a', 'b'])),
  ...[tf.LogicalNot, tf.IsNan, tf.IsInf, tf.IsFinite].map((kernel) => zero(kernel)),
  ...[tf.Sign, tf.Step, tf.Floor, tf.Ceil, tf.Round].map((kernel) => zero(kernel)),
  ...[tf.ArgMax, tf.ArgMin, tf.Any, tf.All, tf.ZerosLike, tf.OnesLike].map((kernel) => zero(kernel)),
  zero(tf.OneHot, ['indices']),
];
