import { assertGrid, assertHeads, type Grid } from '@saccade/nn';
import { assertShape, attention, formatShape, mergeHeads, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Options of {@link lisaAttention}. */
export interface LisaAttentionOptions {
  /** where the N tokens lie: [H, W] or [T, H, W] */
  readonly grid: Grid;
  /** must divide C */
  readonly heads: number;
  /** default `(C/h)^-0.5` */
  readonly scale?: number;
}

/**
 * Multi-head scaled dot-product attention between projections.
 *
 * ```
 * A_i = softmax over j of scale * q_i . k_j        per head
 * y_i = sum_j A_{i,j} v_j
 * ```
 *
 * Shapes: B batch, N tokens = product of the grid, C channels, h heads. `q`, `k`, `v` [B, N, C] -> [B, N, C].
 * Source: Vaswani et al., arXiv 1706.03762, equation (1).
 *
 * @throws ConfigError if heads do not divide C; ShapeError if shapes or the grid do not match
 */
export function lisaAttention(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  { grid, heads, scale }: LisaAttentionOptions,
): tf.Tensor3D {
  assertShape('q', q, ['B', 'N', 'C']);
  for (const [argument, tensor] of Object.entries({ k, v })) {
    assertShape(argument, tensor, q.shape, `q is ${formatShape(q.shape)}.`);
  }
  assertGrid(q.shape[1], grid);
  assertHeads(q.shape[2], heads);
  return tf.tidy(() => {
    const split = (x: tf.Tensor3D) => splitHeads(x, heads);
    return mergeHeads(attention(split(q), split(k), split(v), scale === undefined ? {} : { scale }));
  });
}
