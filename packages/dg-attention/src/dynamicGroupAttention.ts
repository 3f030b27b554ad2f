import { assertHeads, cosineOperands } from '@saccade/nn';
import {
  assertShape,
  ConfigError,
  dynamicGroups,
  formatShape,
  type GroupRouting,
  groupedAttention,
  mergeHeads,
  splitHeads,
} from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { DgAttentionOptions } from './options.ts';

/** Options of {@link dynamicGroupAttention}. */
export interface DynamicGroupAttentionOptions extends Pick<DgAttentionOptions, 'attention' | 'assign' | 'topK'> {
  /** must divide C */
  readonly heads: number;
  /** for `cosine`: the logarithm of each head's scale, [h, 1, 1] */
  readonly logitScale?: tf.Tensor;
}

/**
 * DG-Attention between projections: queries are divided into groups by their nearest centroid, a group selects the k keys
 * that fit its centroid best, and each query attends to the keys of its group. With d = C/h, per head, x^ = x / |x|:
 *
 * ```
 * g(i) = argmax_j  q^_i . e_j             euclid: q^_i . e_j - |e_j|^2 / 2
 * I_j  = the k keys l of the largest  e_j . k_l           cosine: e_j . k^_l
 * y_i  = sum over l in I_g(i) of softmax_l( s(q_i, k_l) ) v_l
 * s    = q . k / sqrt(d)                  cosine: q^ . k^ exp(min(logitScale, ln 100))
 * ```
 *
 * Shapes: B batch, N tokens, C channels, h heads, G groups. `q`, `k`, `v` [B, N, C], `centroids` [h, G, d] -> [B, N, C], in
 * the order of the queries. With k >= N it is attention between all tokens. Group and keys are decisions without a
 * gradient; q, k, v (and logitScale) get theirs through the attention within the groups. Tokens have no place here: any
 * order, any grid. Equal scores, and what is not a number: see `dynamicGroups` of tensor-ops.
 *
 * Source: arXiv 2203.03937. The words are those of its abstract; the equations are a reconstruction, not verified against
 * the paper.
 *
 * @throws ShapeError if shapes do not match; ConfigError for heads that do not divide C, or options that cannot be
 */
export function dynamicGroupAttention(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  centroids: tf.Tensor3D,
  options: DynamicGroupAttentionOptions,
): tf.Tensor3D {
  return tf.tidy(() => {
    const heads = perHead({ q, k, v }, options.heads);
    const routing = route(heads, centroids, options);
    return mergeHeads(attendInGroups(heads, routing, options));
  });
}

/** Queries, keys and values of each head, [B, h, N, d]. */
export interface Heads {
  readonly q: tf.Tensor4D;
  readonly k: tf.Tensor4D;
  readonly v: tf.Tensor4D;
}

/** Splits [B, N, C] each into heads, after a check. */
export function perHead({ q, k, v }: Record<'q' | 'k' | 'v', tf.Tensor3D>, heads: number): Heads {
  assertShape('q', q, ['B', 'N', 'C']);
  for (const [argument, tensor] of Object.entries({ k, v })) {
    assertShape(argument, tensor, q.shape, `q is ${formatShape(q.shape)}.`);
  }
  assertHeads(q.shape[2], heads);
  return { q: splitHeads(q, heads), k: splitHeads(k, heads), v: splitHeads(v, heads) };
}

/** The groups of the queries, and the keys of the groups. */
export function route(
  { q, k }: Pick<Heads, 'q' | 'k'>,
  centroids: tf.Tensor3D,
  { attention, assign = 'dot', topK = 98 }: DynamicGroupAttentionOptions,
): GroupRouting {
  return dynamicGroups(q, k, centroids, { topK, assign, normalizeKeys: attention === 'cosine' });
}

/** Attention within the groups, [B, h, N, d]. */
export function attendInGroups(
  { q, k, v }: Heads,
  routing: GroupRouting,
  options: DynamicGroupAttentionOptions,
): tf.Tensor4D {
  const { queries, keys, scale } = comparable({ q, k }, options);
  return groupedAttention(queries, keys, v, routing, { scale });
}

/** Queries and keys as their products, times `scale`, are the logits. */
export function comparable(
  { q, k }: Pick<Heads, 'q' | 'k'>,
  { attention = 'dot', logitScale }: DynamicGroupAttentionOptions,
): { readonly queries: tf.Tensor4D; readonly keys: tf.Tensor4D; readonly scale: number } {
  if (attention === 'dot') return { queries: q, keys: k, scale: 1 / Math.sqrt(q.shape[3]) };
  if (attention !== 'cosine') throw new ConfigError('attention', "'dot' or 'cosine'", attention);
  if (!logitScale) throw new ConfigError('logitScale', 'the scales of the heads, for cosine attention', logitScale);
  return { ...cosineOperands(q, k, logitScale), scale: 1 };
}
