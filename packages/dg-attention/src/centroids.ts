import type { Initializer } from '@saccade/nn';
import { detached, l2Normalize, matMul, type Rng, transposeLast } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { DgAttentionOptions } from './options.ts';

/** Random vectors of length 1, one for each row of [..., d]. */
export function unitVectors(rng: Rng): Initializer {
  return (shape) => {
    const size = shape.at(-1) as number;
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal());
    for (let at = 0; at < values.length; at += size) {
      const row = values.subarray(at, at + size);
      const length = Math.max(Math.hypot(...row), 1e-12);
      for (let c = 0; c < size; c++) row[c] = (row[c] as number) / length;
    }
    return values;
  };
}

/**
 * What the update of centroids needs of a forward pass: for each head and group the sum of `q / |q|` over its queries, and
 * in the last column how many they are.
 *
 * `q` [B, h, N, d], `assignment` int32 [B, h, N] -> [h, G, d + 1]. No gradient; nothing is read from the device.
 */
export function groupSums(q: tf.Tensor4D, assignment: tf.Tensor3D, groups: number): tf.Tensor3D {
  const [batch, heads, queries, size] = q.shape;
  return detached(() => {
    const counted = tf.concat([l2Normalize(q), tf.ones([batch, heads, queries, 1])], -1);
    // A product, not a cast: on webgpu that leaves integers in memory, on which `transpose` fails.
    const members = tf.mul(tf.oneHot(tf.reshape(assignment, [-1]), groups), 1);
    const byHead = (x: tf.Tensor, width: number) =>
      tf.reshape(tf.transpose(tf.reshape(x, [batch, heads, queries, width]), [1, 0, 2, 3]), [heads, -1, width]);
    return matMul(transposeLast(byHead(members, groups)), byHead(counted, size + 1)) as tf.Tensor3D;
  });
}

/**
 * Centroids after a step of training, with the mean of the normalised queries of each group:
 *
 * ```
 * e <- (1 - tau) e + tau mean      'step'
 * e <- tau e + (1 - tau) mean      'literal'
 * ```
 *
 * A group without queries stays as it is.
 *
 * @param centroids [h, G, d]
 * @param sums [h, G, d + 1], as {@link groupSums} gives them, added up over forward passes
 */
export function updatedCentroids(
  centroids: tf.Tensor3D,
  sums: tf.Tensor3D,
  { ema, renormalise, tau }: Required<Pick<DgAttentionOptions, 'ema' | 'renormalise'>> & { readonly tau: number },
): tf.Tensor3D {
  const size = centroids.shape[2];
  return tf.tidy(() => {
    const [total, counts] = tf.split(sums, [size, 1], -1) as [tf.Tensor3D, tf.Tensor3D];
    const used = tf.minimum(counts, 1);
    const mean = tf.div(total, tf.maximum(counts, 1));
    const weight = tf.mul(used, ema === 'step' ? tau : 1 - tau);
    // As a sum of two products, so that weights of 0 and 1 leave one of the two exactly.
    const moved = tf.add(tf.mul(centroids, tf.sub(1, weight)), tf.mul(mean, weight)) as tf.Tensor3D;
    if (!renormalise) return moved;
    return tf.add(tf.mul(l2Normalize(moved), used), tf.mul(moved, tf.sub(1, used))) as tf.Tensor3D;
  });
}

/**
 * Centroids from normalised queries, drawn without repetition for each head; where there are fewer queries than groups,
 * the others stay as they are.
 */
export function sampledCentroids(q: tf.Tensor4D, centroids: tf.Tensor3D, rng: Rng): tf.Tensor3D {
  const [batch, heads, queries, size] = q.shape;
  const groups = centroids.shape[1];
  const count = Math.min(groups, batch * queries);
  const rows = Array.from({ length: heads }, (_, head) => {
    const drawn = rng.shuffle(Array.from({ length: batch * queries }, (_, i) => i)).slice(0, count);
    return drawn.map((i) => (Math.floor(i / queries) * heads + head) * queries + (i % queries));
  });
  return detached(() => {
    const all = tf.reshape(l2Normalize(q), [batch * heads * queries, size]);
    const chosen = tf.reshape(tf.gather(all, tf.tensor1d(rows.flat(), 'int32')), [heads, count, size]) as tf.Tensor3D;
    if (count === groups) return chosen;
    return tf.concat([chosen, tf.slice(centroids, [0, count, 0], [heads, groups - count, size])], 1);
  });
}
