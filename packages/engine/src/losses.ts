import { assertShape, ConfigError, formatShape, ShapeError, withGradient } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** What a batch should come out as: one class index for each sample, or one distribution over classes [B, K]. */
export type Labels = ArrayLike<number> | tf.Tensor2D;

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions {
  /** e: this share of each target is spread evenly over all K classes; default 0 */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy of logits, averaged over the batch: `-(1/B) sum_b sum_k t_bk log softmax(logits_b)_k`.
 *
 * `logits` [B, K]; `labels` B class indices, where `t = (1 - e) onehot + e/K`, or distributions [B, K], where
 * `t = (1 - e) labels + e/K` (mixup). The logarithm is taken of differences from the largest logit, so that no
 * logit overflows. Differentiable in the logits only: gradient `(softmax * sum_k t - t) / B`.
 *
 * @throws ShapeError if there are not B labels; ConfigError for a label outside 0..K-1 or a smoothing outside [0, 1)
 */
export function crossEntropy(
  logits: tf.Tensor2D,
  labels: Labels,
  { labelSmoothing = 0 }: CrossEntropyOptions = {},
): tf.Scalar {
  assertShape('logits', logits, ['B', 'K']);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new ConfigError('labelSmoothing', 'a share in [0, 1)', labelSmoothing);
  }
  const [batch, classes] = logits.shape;
  const distributions = labels instanceof tf.Tensor ? labels : undefined;
  if (distributions) assertShape('labels', distributions, [batch, classes], 'Or pass B class indices.');
  const indices = distributions ? undefined : checkedIndices(labels as ArrayLike<number>, batch, classes);

  return withGradient(
    [logits],
    ([logits]) => {
      const oneHot = () => tf.tensor2d(oneHotRows(indices as ArrayLike<number>, classes), [batch, classes]);
      const hard = distributions ?? oneHot();
      const target = labelSmoothing ? tf.add(tf.mul(hard, 1 - labelSmoothing), labelSmoothing / classes) : hard;
      const shifted = tf.sub(logits, tf.max(logits, 1, true));
      const exponentials = tf.exp(shifted);
      const sums = tf.sum(exponentials, 1, true);
      const logProbabilities = tf.sub(shifted, tf.log(sums));
      const loss = tf.div(tf.sum(tf.mul(target, logProbabilities)), -batch) as tf.Scalar;
      const mass = tf.mul(tf.div(exponentials, sums), tf.sum(target, 1, true));
      return { value: loss, saved: [tf.div(tf.sub(mass, target), batch)] };
    },
    (dy, [gradient]) => [tf.mul(dy, gradient)],
  );
}

function checkedIndices(labels: ArrayLike<number>, batch: number, classes: number): ArrayLike<number> {
  if (labels.length !== batch) {
    throw new ShapeError({
      argument: 'labels',
      expected: `${batch} class indices, one for each row of logits`,
      actual: formatShape([labels.length]),
    });
  }
  for (let i = 0; i < batch; i++) {
    const label = labels[i] as number;
    if (!Number.isSafeInteger(label) || label < 0 || label >= classes) {
      throw new ConfigError(`labels[${i}]`, `a class index from 0 to ${classes - 1}`, label);
    }
  }
  return labels;
}

function oneHotRows(indices: ArrayLike<number>, classes: number): Float32Array {
  const rows = new Float32Array(indices.length * classes);
  for (let i = 0; i < indices.length; i++) rows[i * classes + (indices[i] as number)] = 1;
  return rows;
}
