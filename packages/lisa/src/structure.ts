import { matMul, transposeLast } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type SpreadOptions, spreadTable } from './tables.ts';

/**
 * Mode `structure` as its definition has it, all pairs of tokens at once: the oracle of the fast forms, and the fastest on
 * small grids. `2 N^2 C + 2 h D N^2` multiply-accumulates, O(h N^2 (B + D)) memory. Differentiable.
 *
 * `q`, `k`, `v` [B, h, N, c], `p`, `u` [h, D, ...offsets] -> [B, h, N, c].
 */
export function denseStructure(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  tables: { readonly p: tf.Tensor; readonly u: tf.Tensor },
  spread: SpreadOptions,
): tf.Tensor4D {
  return tf.tidy(() => {
    const { kernel } = structureKernels(q, k, tables, spread);
    return matMul(kernel, v) as tf.Tensor4D;
  });
}

/** The kernels of mode `structure` for Q queries. */
export interface StructureKernels {
  /** `K0` [B, h, Q, N] */
  readonly attention: tf.Tensor4D;
  /** `S` [B, h, Q, D] */
  readonly patterns: tf.Tensor4D;
  /** `K1` [B, h, Q, N] */
  readonly kernel: tf.Tensor4D;
}

/** `K0 = q k^T`, `S[n,d] = sum_m K0[n,m] P_d[m-n]`, `K1[n,m] = sum_d S[n,d] U_d[m-n]`; `q` [B, h, Q, c]: those of `rows`. */
export function structureKernels(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  { p, u }: { readonly p: tf.Tensor; readonly u: tf.Tensor },
  spread: SpreadOptions,
): StructureKernels {
  const [batch, heads, queries] = q.shape;
  const tokens = k.shape[2];
  // One small product for each head and query, over the samples of the batch: [h*Q, B, ...].
  const inner = (x: tf.Tensor) => tf.reshape(tf.transpose(x, [1, 2, 0, 3]), [heads * queries, batch, -1]);
  const outer = (x: tf.Tensor) => tf.transpose(tf.reshape(x, [heads, queries, batch, -1]), [2, 0, 1, 3]) as tf.Tensor4D;
  const attention = matMul(q, transposeLast(k)) as tf.Tensor4D;
  const patterns = matMul(inner(attention), spreadTable(p, spread));
  const kernel = matMul(patterns, transposeLast(spreadTable(u, spread)));
  return { attention, patterns: outer(patterns), kernel: tf.reshape(outer(kernel), [batch, heads, queries, tokens]) };
}
