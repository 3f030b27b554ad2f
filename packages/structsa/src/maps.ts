import { type Grid, gridTokens } from '@saccade/nn';
import {
  attentionWeights,
  ConfigError,
  depthwiseConv2d,
  depthwiseConv3d,
  product,
  splitHeads,
} from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { assertInputs, type StructFilter, structureSets } from './structAttention.ts';

/** Options of {@link structureMaps}. */
export interface StructureMapOptions {
  readonly grid: Grid;
  readonly heads: number;
  readonly stride?: number;
  readonly scale?: number;
  /** row-major positions of the Q queries to compute; the others cost nothing */
  readonly queries: readonly number[];
}

/**
 * What chosen queries attend to. Q queries, L strided tokens, D detectors, M taps of the aggregators.
 *
 * With filters of their own for each channel the maps have a channel axis; with shared aggregators a head axis.
 */
export interface StructureMaps {
  /** `A` [B, h, Q, L, D]: the weights; they sum to 1 over L and D together */
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
 * on l, so that `y_ic = sum_l merged_ilc v_lc` exactly. Entries may be negative. Source: the paper's equation (21).
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
  const { grid, heads, stride = 1, scale, queries } = options;
  assertInputs(q, { k }, { convK, convV }, options);
  const tokens = gridTokens(grid);
  if (queries.length === 0) throw new ConfigError('queries', 'at least one position', 'none');
  for (const query of queries) {
    if (!Number.isSafeInteger(query) || query < 0 || query >= tokens) {
      throw new ConfigError('queries', `positions of the grid, 0 to ${tokens - 1}`, query);
    }
  }
  return tf.tidy(() => {
    const chosen = tf.concat(
      queries.map((query) => tf.slice(q, [0, query, 0], [q.shape[0], 1, q.shape[2]])),
      1,
    ) as tf.Tensor3D;
    const keys = structureSets(k, convK, grid, stride).map((set) => splitHeads(set, heads));
    const weights = attentionWeights(splitHeads(chosen, heads), keys, scale === undefined ? {} : { scale });
    const attention = lastDetectors(weights);
    return {
      attention,
      kappa: dynamicKernels(attention, convV),
      merged: mergedMaps(attention, convV, grid, stride),
    };
  }) as StructureMaps & tf.TensorContainer;
}

/** [D, B, h, Q, L] -> [B, h, Q, L, D], at rank 2 since some backends are slow or wrong at rank 5. */
function lastDetectors(weights: tf.Tensor5D): tf.Tensor5D {
  const [detectors, ...rest] = weights.shape;
  const flat = tf.transpose(tf.reshape(weights, [detectors, product(rest)]));
  return tf.reshape(flat, [...rest, detectors]) as tf.Tensor5D;
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
 * gradient of the convolution by its input, taken at A.
 */
function mergedMaps(attention: tf.Tensor5D, convV: StructFilter, grid: Grid, stride: number): tf.Tensor4D {
  const [batch, heads, queries, length, detectors] = attention.shape;
  const own = convV.shape.at(-2) as number;
  // Shared aggregators give one map per head: one channel for each.
  const channels = own === 1 ? heads : own;
  const repeats = channels / heads;
  const byHead = tf.transpose(tf.reshape(attention, [batch, heads, queries, length * detectors]), [0, 2, 3, 1]);
  // [B*Q, L, D, h] -> [B*Q, L, h*repeats, D]: channel c belongs to head floor(c / repeats).
  const perChannel = tf.tile(tf.reshape(byHead, [batch * queries * length * detectors, heads, 1]), [1, 1, repeats]);
  const seeds = tf.transpose(tf.reshape(perChannel, [batch * queries * length, detectors, channels]), [0, 2, 1]);
  const kernel = convV.shape.slice(0, -2);
  const filter = own === 1 ? tf.tile(tf.reshape(convV, [product(kernel), 1, detectors]), [1, channels, 1]) : convV;
  const filters = tf.reshape(filter, [...kernel, channels, detectors] as StructFilter['shape']) as StructFilter;
  const convolve = (x: tf.Tensor) =>
    grid.length === 3
      ? depthwiseConv3d(x as tf.Tensor5D, filters as tf.Tensor5D, stride)
      : depthwiseConv2d(x as tf.Tensor4D, filters as tf.Tensor4D, stride);
  const zero = tf.zeros([batch * queries, ...grid, channels]);
  const outShape = tf.tidy(() => convolve(zero).shape);
  const coefficients = tf.grad(convolve)(zero, tf.reshape(seeds, outShape));
  const maps = tf.reshape(coefficients, [batch, queries, gridTokens(grid), channels]) as tf.Tensor4D;
  return own === 1 ? (tf.transpose(maps, [0, 3, 1, 2]) as tf.Tensor4D) : maps;
}
