import { type Grid, gridTokens } from '@saccade/nn';
import {
  attentionWeights,
  ConfigError,
  type DepthwiseTokensOptions,
  depthwiseTokens,
  product,
  splitHeads,
  transposeLast,
} from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { assertInputs, cutPrefix, type StructFilter } from './structAttention.ts';

/** Options of {@link structureMaps}. */
export interface StructureMapOptions {
  readonly grid: Grid;
  readonly heads: number;
  readonly stride?: number;
  readonly scale?: number;
  /** P, tokens before those of the grid; default 0 */
  readonly prefixTokens?: number;
  /** row-major positions of the Q queries on the grid to compute; the others cost nothing */
  readonly queries: readonly number[];
}

/**
 * What chosen queries attend to. Q queries, L strided tokens, D detectors, M taps of the aggregators.
 *
 * With filters of their own for each channel the maps have a channel axis; with shared aggregators a head axis.
 */
export interface StructureMaps {
  /** `A` [B, h, Q, L, D]: the weights; they sum to 1 over L and D together, less what the prefix tokens get */
  readonly attention: tf.Tensor5D;
  /** dynamic kernels, equations (16) and (5): `kappa` [B, Q, L, C, M], shared: [B, h, Q, L, M] */
  readonly kappa: tf.Tensor5D;
  /** equation (21): weight of the value at position l in the result of query i, [B, Q, N, C], shared: [B, h, Q, N] */
  readonly merged: tf.Tensor4D;
}

/**
 * The structure maps of StructSA for a few queries, from the same projections that `structAttention` takes.
 *
 * `kappa_ijcm = sum_d A_ijd convV_mcd`; `merged_ilc` sums kappa over all (j, m) for which tap m of the window at j falls
 * on l, so that `y_ic = sum_l merged_ilc v_lc` exactly (without prefix tokens). Entries may be negative. Source: the paper's equation (21).
 *
 * @throws ConfigError if a query is not a position of the grid, or there is none; else as `structAttention`
 */
export function structureMaps(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  convK: StructFilter,
  convV: StructFilter,
  options: StructureMapOptions,
): StructureMaps {
  const { grid, heads, stride = 1, scale, prefixTokens = 0, queries } = options;
  assertInputs(q, { k }, { convK, convV }, options);
  const positions = gridTokens(grid);
  if (queries.length === 0) throw new ConfigError('queries', 'at least one position', 'none');
  for (const query of queries) {
    if (!Number.isSafeInteger(query) || query < 0 || query >= positions) {
      throw new ConfigError('queries', `positions of the grid, 0 to ${positions - 1}`, query);
    }
  }
  const layout = { grid, heads, stride };
  return tf.tidy(() => {
    const chosen = tf.concat(
      queries.map((query) => tf.slice(q, [0, prefixTokens + query, 0], [q.shape[0], 1, q.shape[2]])),
      1,
    ) as tf.Tensor3D;
    const { prefix, tokens } = cutPrefix(k, prefixTokens, heads);
    const keys = tf.concat([...prefix, depthwiseTokens(tokens, convK, layout)], 2) as tf.Tensor4D;
    const joint = attentionWeights(splitHeads(chosen, heads), [keys], scale === undefined ? {} : { scale });
    const [, ...shape] = joint.shape as [number, number, number, number, number];
    const all = tf.reshape(joint, shape) as tf.Tensor4D;
    const weights = prefixTokens === 0 ? all : tf.slice(all, [0, 0, 0, prefixTokens], [-1, -1, -1, -1]);
    const attention = lastDetectors(weights, convK.shape.at(-1) as number);
    return {
      attention,
      kappa: dynamicKernels(attention, convV),
      merged: mergedMaps(weights, convV, layout),
    };
  }) as StructureMaps & tf.TensorContainer;
}

/** [B, h, Q, D*L] -> [B, h, Q, L, D], at rank 3 since some backends are slow or wrong at rank 5. */
function lastDetectors(weights: tf.Tensor4D, detectors: number): tf.Tensor5D {
  const [batch, heads, queries, keys] = weights.shape;
  const sets = tf.reshape(weights, [batch * heads * queries, detectors, keys / detectors]) as tf.Tensor3D;
  return tf.reshape(transposeLast(sets), [batch, heads, queries, keys / detectors, detectors]) as tf.Tensor5D;
}

function dynamicKernels(attention: tf.Tensor5D, convV: StructFilter): tf.Tensor5D {
  const [batch, heads, queries, length, detectors] = attention.shape;
  const channels = convV.shape.at(-2) as number;
  const taps = product(convV.shape.slice(0, -2));
  // [M, C, D] -> [D, C, M]
  const filters = tf.transpose(tf.reshape(convV, [taps, channels, detectors]), [2, 1, 0]);
  const rows = tf.reshape(attention, [batch, heads, queries * length, detectors]);
  if (channels === 1) {
    const shared = tf.matMul(rows, tf.tile(tf.reshape(filters, [1, 1, detectors, taps]), [batch, heads, 1, 1]));
    return tf.reshape(shared, [batch, heads, queries, length, taps]) as tf.Tensor5D;
  }
  const size = channels / heads;
  const perHead = tf.split(rows, heads, 1).map((head, index) => {
    const own = tf.slice(filters, [0, index * size, 0], [detectors, size, taps]);
    const flat = tf.reshape(head, [batch * queries * length, detectors]);
    return tf.reshape(tf.matMul(flat, tf.reshape(own, [detectors, size * taps])), [
      batch * queries * length,
      size * taps,
    ]);
  });
  return tf.reshape(tf.concat(perHead, 1), [batch, queries, length, channels, taps]) as tf.Tensor5D;
}

/**
 * The result of a query is linear in v: y_ic = sum_jd A_ijd (dwconv(v, convV))_jcd. Its coefficients at v_lc are the
 * gradient of the convolution by its input, taken at A, with which all channels of a head are weighed alike.
 */
function mergedMaps(weights: tf.Tensor4D, convV: StructFilter, layout: DepthwiseTokensOptions): tf.Tensor4D {
  const [batch, heads, queries, keys] = weights.shape;
  const own = convV.shape.at(-2) as number;
  // Shared aggregators give one map per head: one channel for each.
  const channels = own === 1 ? heads : own;
  const perQuery = tf.reshape(tf.transpose(weights, [0, 2, 1, 3]), [batch * queries * heads * keys, 1]);
  const seeds = tf.reshape(tf.tile(perQuery, [1, channels / heads]), [batch * queries, heads, keys, channels / heads]);
  const convolve = (v: tf.Tensor) => depthwiseTokens(v as tf.Tensor3D, convV, layout);
  const coefficients = tf.grad(convolve)(tf.zeros([batch * queries, product(layout.grid), channels]), seeds);
  const maps = tf.reshape(coefficients, [batch, queries, product(layout.grid), channels]) as tf.Tensor4D;
  return own === 1 ? (tf.transpose(maps, [0, 3, 1, 2]) as tf.Tensor4D) : maps;
}
