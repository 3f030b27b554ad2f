import * as tf from '@tensorflow/tfjs-core';
import type { GroupRouting } from './dynamicGroups.ts';
import { ConfigError } from './errors.ts';
import { blockwiseAttention } from './groupedBlocks.ts';
import { fusedGroupedAttention, groupedRefusal } from './groupedFused.ts';
import { maskedAttention } from './groupedMask.ts';
import { kernelMode, usesKernel } from './kernelMode.ts';
import { GROUPED_ATTENTION } from './kernels/names.ts';
import { assertShape, formatShape } from './shape.ts';

/** Options of {@link groupedAttention}. */
export interface GroupedAttentionOptions {
  /** What the products of queries and keys are multiplied by before the softmax; default `1/sqrt(d)`. */
  readonly scale?: number;
}

/**
 * Softmax attention in which a query sees the keys of its group only:
 *
 * `y_i = sum over l in I_g(i) of A_il v_l`, `A_i = softmax over l in I_g(i) of scale * q_i . k_l`.
 *
 * `q` [B, h, N, d], `k` and `v` [B, h, L, d], and the groups that {@link dynamicGroups} makes -> [B, h, N, d], in the order
 * of the queries. Gradients reach q, k and v; a key that no query's group has selected gets exactly zero.
 *
 * | path | where | memory beside inputs and output |
 * |---|---|---|
 * | kernel | wasm with SIMD (a group at a time), webgpu | what one group, or one block, works on |
 * | blocks: queries sorted by group, in blocks of one group each | cpu, and wasm without SIMD | gathered keys and values of all blocks |
 * | mask over all N x L pairs | elsewhere, and everywhere in mode `explicit`: the reference | several maps of N x L |
 *
 * Source: as {@link dynamicGroups}.
 *
 * @throws ShapeError if the shapes do not belong together; ConfigError for a scale that is not finite or, on cpu and wasm,
 *   where they can be read without waiting, for groups and keys that do not exist
 */
export function groupedAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  routing: GroupRouting,
  options: GroupedAttentionOptions = {},
): tf.Tensor4D {
  assertShape('q', q, ['B', 'h', 'N', 'd']);
  const [batch, heads, queries, size] = q.shape;
  const { scale = 1 / Math.sqrt(size) } = options;
  const hint = `q is ${formatShape(q.shape)}.`;
  assertShape('k', k, [batch, heads, 'L', size], hint);
  assertShape('v', v, k.shape, `k is ${formatShape(k.shape)}.`);
  assertShape('assignment', routing.assignment, [batch, heads, queries], hint);
  assertShape('keys', routing.keys, [batch, heads, 'G', 'k'], hint);
  for (const [name, { dtype }] of Object.entries(routing as unknown as Record<string, tf.Tensor>)) {
    if (dtype !== 'int32') throw new ConfigError(name, 'int32', dtype);
  }
  if (!Number.isFinite(scale)) throw new ConfigError('scale', 'a finite number', scale);
  return tf.tidy(() => {
    if (usesKernel(GROUPED_ATTENTION, groupedRefusal(q, k, routing))) {
      return fusedGroupedAttention(q, k, v, routing, scale);
    }
    const readsAtOnce = ['cpu', 'wasm'].includes(tf.getBackend());
    if (readsAtOnce && kernelMode() !== 'explicit') return blockwiseAttention(q, k, v, routing, scale);
    return maskedAttention(q, k, v, routing, scale);
  });
}
