import * as tf from '@tensorflow/tfjs-core';
import { explicitGroups } from './dynamicGroupsExplicit.ts';
import { ConfigError } from './errors.ts';
import { usesKernel } from './kernelMode.ts';
import { DYNAMIC_GROUPS } from './kernels/names.ts';
import { assertInteger, assertShape, formatShape, sizeAt } from './shape.ts';

/** Which queries belong together, and which keys each group attends to: one head at a time. */
export interface GroupRouting {
  /** int32 [B, h, N]: the group of each query, 0 to G-1 */
  readonly assignment: tf.Tensor3D;
  /** int32 [B, h, G, k]: the keys of each group, all different, in no particular order */
  readonly keys: tf.Tensor4D;
}

/** Options of {@link dynamicGroups}. */
export interface DynamicGroupsOptions {
  /** keys of a group; more than there are means all of them */
  readonly topK: number;
  /** how a query finds its group: by the largest product (default), or by the smallest distance */
  readonly assign?: 'dot' | 'euclid';
  /** compares centroids with keys of length 1; default false */
  readonly normalizeKeys?: boolean;
}

/**
 * Divides queries into groups and gives every group the keys that fit it best:
 *
 * ```
 * g(i) = argmax over j of  q^_i . e_j              'dot'
 *        argmax over j of  q^_i . e_j - |e_j|^2/2  'euclid': the nearest centroid
 * I_j  = the k keys l of the largest  e_j . k_l  (or e_j . k^_l)            x^ = x / max(|x|, 1e-12)
 * ```
 *
 * `q` [B, h, N, d], `k` [B, h, L, d], `centroids` [h, G, d]; k of the result is `min(topK, L)`. Of equal scores the lowest
 * index wins. A score that is not a number counts as the lowest of all: a query that is not a number goes to group 0, and
 * such a key is taken last. Decisions, not functions: there is no gradient.
 * Source: arXiv 2203.03937 as far as its abstract says; the formulas are a reconstruction, not verified against the paper.
 *
 * @throws ConfigError if topK is not a positive integer, there is no group, or for another assignment; ShapeError if the
 *   shapes do not belong together
 */
export function dynamicGroups(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  centroids: tf.Tensor3D,
  { topK, assign = 'dot', normalizeKeys = false }: DynamicGroupsOptions,
): GroupRouting {
  assertShape('q', q, ['B', 'h', 'N', 'd']);
  const [batch, heads, , size] = q.shape;
  const hint = `q is ${formatShape(q.shape)}.`;
  assertShape('k', k, [batch, heads, 'L', size], hint);
  assertShape('centroids', centroids, [heads, 'G', size], hint);
  assertInteger('topK', topK, 1);
  if (centroids.shape[1] < 1) throw new ConfigError('centroids', 'at least one group', 'none');
  if (assign !== 'dot' && assign !== 'euclid') throw new ConfigError('assign', "'dot' or 'euclid'", assign);
  const attributes = { topK: Math.min(topK, sizeAt(k.shape, 2)), assign, normalizeKeys };
  const empty = q.size === 0 || k.size === 0 ? 'tensors that are not empty' : undefined;
  if (!usesKernel(DYNAMIC_GROUPS, empty)) return explicitGroups(q, k, centroids, attributes);
  const [assignment, keys] = tf
    .engine()
    .runKernel(DYNAMIC_GROUPS, { q, k, centroids }, attributes) as unknown as tf.Tensor[];
  return { assignment: assignment as tf.Tensor3D, keys: keys as tf.Tensor4D };
}
