import * as tf from '@tensorflow/tfjs-core';
import { detached } from './detached.ts';
import type { DynamicGroupsOptions, GroupRouting } from './dynamicGroups.ts';
import { l2Normalize } from './l2Normalize.ts';
import { rawMatMul, transposeLast } from './matMul.ts';

/** Below every score, and finite: webgpu's `topk` fills up with negative infinity, and could take an index beyond the end. */
const LOWEST = -3e38;

/** The explicit path of `dynamicGroups`: operations of tfjs, on every backend, without reading anything back. */
export function explicitGroups(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  centroids: tf.Tensor3D,
  { topK, assign, normalizeKeys }: Required<DynamicGroupsOptions>,
): GroupRouting {
  const [batch, heads, queries] = q.shape;
  const [, groups, size] = centroids.shape;
  const length = k.shape[2];
  return tf.tidy(() => {
    // One set of centroids for each sample, [B, h, G, d].
    const perSample = () => tf.tile(tf.reshape(centroids, [1, heads, groups, size]), [batch, 1, 1, 1]);
    const assignment = detached(() => {
      const products = rawMatMul(l2Normalize(q), transposeLast(perSample()));
      return firstOfLargest(assign === 'dot' ? products : tf.sub(products, halfSquares(centroids)));
    });
    const keys = detached(() => {
      if (topK === length) {
        return tf.tile(tf.reshape(tf.range(0, length, 1, 'int32'), [1, 1, 1, length]), [batch, heads, groups, 1]);
      }
      const scores = rawMatMul(perSample(), transposeLast(normalizeKeys ? l2Normalize(k) : k));
      return tf.topk(comparable(scores), topK).indices;
    });
    return {
      assignment: tf.reshape(assignment, [batch, heads, queries]),
      keys: tf.reshape(keys, [batch, heads, groups, topK]),
    } as GroupRouting & tf.TensorContainerObject;
  });
}

/** `|e|^2 / 2` of the centroids, [1, h, 1, G]. */
function halfSquares(centroids: tf.Tensor3D): tf.Tensor {
  const [heads, groups] = centroids.shape;
  return tf.reshape(tf.mul(tf.sum(tf.square(centroids), -1), 0.5), [1, heads, 1, groups]);
}

/** Scores that can be ordered: what is not a number is the lowest. */
function comparable(scores: tf.Tensor): tf.Tensor {
  return tf.where(tf.isNaN(scores), tf.fill(scores.shape, LOWEST), tf.maximum(scores, LOWEST));
}

/** The place of the largest along the last axis; of equal ones the first, which `argMax` of a GPU does not promise. */
function firstOfLargest(scores: tf.Tensor): tf.Tensor {
  const values = comparable(scores);
  const count = scores.shape.at(-1) as number;
  const places = tf.add(tf.zerosLike(values), tf.range(0, count, 1, 'float32'));
  const isLargest = tf.greaterEqual(values, tf.max(values, -1, true));
  return tf.cast(tf.min(tf.where(isLargest, places, tf.fill(values.shape, count)), -1), 'int32');
}
