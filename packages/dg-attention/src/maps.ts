import { assertHeads, type Grid, gridTokens } from '@saccade/nn';
import { attentionWeights, ConfigError, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Options of {@link dgMaps}. */
export interface DgMapOptions {
  readonly grid: Grid;
  readonly heads: number;
  readonly scale?: number;
  /** row-major positions of the Q queries to compute; the others cost nothing */
  readonly queries: readonly number[];
}

/**
 * The attention `A` [B, h, Q, N] of Q chosen queries, for pictures; it sums to 1 over N. Not differentiable.
 *
 * `q`, `k` [B, N, C] are what {@link dgAttention} takes.
 *
 * @throws ConfigError if heads do not divide C or a query is not a position of the grid
 */
export function dgMaps(q: tf.Tensor3D, k: tf.Tensor3D, { grid, heads, scale, queries }: DgMapOptions): tf.Tensor4D {
  const [batch, tokens, channels] = q.shape;
  assertHeads(channels, heads);
  const last = gridTokens(grid) - 1;
  if (queries.length === 0) throw new ConfigError('queries', 'at least one position', '0 positions');
  for (const query of queries) {
    if (!Number.isSafeInteger(query) || query < 0 || query > last) {
      throw new ConfigError('queries', `positions of the grid, 0 to ${last}`, query);
    }
  }
  return tf.tidy(() => {
    const rows = queries.map((query) => tf.slice(q, [0, query, 0], [batch, 1, channels]));
    const chosen = splitHeads(tf.concat(rows, 1) as tf.Tensor3D, heads);
    const weights = attentionWeights(chosen, [splitHeads(k, heads)], scale === undefined ? {} : { scale });
    return tf.reshape(weights, [batch, heads, queries.length, tokens]) as tf.Tensor4D;
  });
}
