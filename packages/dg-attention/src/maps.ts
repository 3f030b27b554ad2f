import { ConfigError, type GroupRouting, groupedAttentionWeights } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { comparable, type DynamicGroupAttentionOptions, perHead, route } from './dynamicGroupAttention.ts';

/** What attends to what: enough to paint groups, their keys and single queries into a picture. */
export interface GroupMaps extends GroupRouting {
  /** [B, h, Q, N]: the weights of the chosen queries over all tokens, 0 outside of their groups' keys; if some were chosen */
  readonly attention?: tf.Tensor4D;
}

/** Options of {@link groupMaps}. */
export interface GroupMapOptions extends DynamicGroupAttentionOptions {
  /** positions of Q tokens whose attention is wanted; default: of none */
  readonly queries?: readonly number[];
}

/**
 * The groups of all queries, the keys of all groups and, for chosen queries, the attention itself (it sums to 1 over the
 * tokens), from what `dynamicGroupAttention` takes. Not differentiable.
 *
 * @throws ConfigError if a query is not a position of a token; else as `dynamicGroupAttention`
 */
export function groupMaps(q: tf.Tensor3D, k: tf.Tensor3D, centroids: tf.Tensor3D, options: GroupMapOptions): GroupMaps {
  return tf.tidy(() => {
    const heads = perHead({ q, k, v: k }, options.heads);
    const routing = route(heads, centroids, options);
    return withAttention(heads, routing, options) as GroupMaps & tf.TensorContainerObject;
  });
}

/** The routing, with the attention of chosen queries. */
export function withAttention(
  { q, k }: { readonly q: tf.Tensor4D; readonly k: tf.Tensor4D },
  routing: GroupRouting,
  { queries = [], ...options }: GroupMapOptions,
): GroupMaps {
  if (queries.length === 0) return routing;
  const tokens = q.shape[2];
  for (const query of queries) {
    if (!Number.isSafeInteger(query) || query < 0 || query >= tokens) {
      throw new ConfigError('queries', `positions of tokens, 0 to ${tokens - 1}`, query);
    }
  }
  const chosen = tf.tensor1d([...queries], 'int32');
  const operands = comparable({ q, k }, options);
  const assignment = tf.gather(routing.assignment, chosen, 2);
  const attention = groupedAttentionWeights(
    tf.gather(operands.queries, chosen, 2),
    operands.keys,
    { assignment, keys: routing.keys },
    { scale: operands.scale },
  );
  return { ...routing, attention };
}
