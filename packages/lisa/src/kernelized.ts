import { gridCorrelation, matMul, transposeLast } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { LisaCompute } from './compute.ts';
import { type SpreadOptions, spreadTable } from './tables.ts';

/** Below it a denominator is not divided by; sums of positive numbers of ordinary size never come near. */
const SMALLEST = 1e-6;

/** What mode `kernelized` divides, and by what. */
export interface KernelizedSums {
  /** `sum_m phi(q_n).phi(k_m) R[m-n] v_m`, [B, h, N, c] */
  readonly numerator: tf.Tensor4D;
  /** the same without v, [B, h, N, 1] */
  readonly denominator: tf.Tensor4D;
}

/** `phi(t) = elu(t) + 1`, which is positive. */
function positive(x: tf.Tensor4D): tf.Tensor4D {
  return tf.add(tf.elu(x), 1);
}

/** All pairs at once: `q`, `k`, `v` [B, h, N, c], `r` [h, ...offsets]. */
export function denseKernelized(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  r: tf.Tensor,
  spread: SpreadOptions,
): KernelizedSums {
  const kernel = kernelizedWeights(q, k, r, spread);
  return { numerator: matMul(kernel, v) as tf.Tensor4D, denominator: tf.sum(kernel, -1, true) as tf.Tensor4D };
}

/** Numbers of the maps phi(k) v^T that are correlated at once: transforms make them several times as many. */
const MAPS_AT_ONCE = 2 ** 21;

/**
 * The same by correlation: the c x (c+1) maps `phi(k_m) [v_m, 1]^T` of each token with the table R, then their product with
 * `phi(q_n)`. The maps of some channels of k at a time.
 */
export function correlatedKernelized(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  r: tf.Tensor,
  { grid, padding, method }: SpreadOptions & { readonly method: LisaCompute },
): KernelizedSums {
  const [batch, heads, tokens, channels] = q.shape;
  const rows = batch * heads * tokens;
  const table = tf.reshape(r, [heads, 1, ...r.shape.slice(1)]);
  const extended = tf.reshape(tf.concat([v, tf.ones([batch, heads, tokens, 1])], 3), [rows, 1, channels + 1]);
  const part = Math.max(1, Math.floor(MAPS_AT_ONCE / extended.size));
  const sizes = Array.from({ length: Math.ceil(channels / part) }, (_, i) => Math.min(part, channels - i * part));
  const [queries, keys] = [q, k].map((x) => tf.split(positive(x), sizes, 3)) as [tf.Tensor[], tf.Tensor[]];
  const sums = sizes.map((size, i) => {
    const maps = matMul(tf.reshape(keys[i] as tf.Tensor, [rows, size, 1]), extended);
    const flat = tf.reshape(maps, [batch, heads, tokens, size * (channels + 1)]) as tf.Tensor4D;
    const spread = gridCorrelation(flat, table, { grid, padding, method });
    return matMul(tf.reshape(queries[i] as tf.Tensor, [rows, 1, size]), tf.reshape(spread, [rows, size, channels + 1]));
  });
  const total = tf.reshape(
    sums.reduce((sum, term) => tf.add(sum, term)),
    [batch, heads, tokens, channels + 1],
  );
  const [numerator, denominator] = tf.split(total, [channels, 1], 3) as [tf.Tensor4D, tf.Tensor4D];
  return { numerator, denominator };
}

/** `phi(q_n).phi(k_m) R[m-n]` of Q queries, [B, h, Q, N]. */
export function kernelizedWeights(q: tf.Tensor4D, k: tf.Tensor4D, r: tf.Tensor, spread: SpreadOptions): tf.Tensor4D {
  const [, heads, queries] = q.shape;
  const tokens = k.shape[2];
  const weights = spreadTable(tf.reshape(r, [heads, 1, ...r.shape.slice(1)]), spread);
  const scores = matMul(positive(q), transposeLast(positive(k)));
  return tf.mul(scores, tf.reshape(weights, [1, heads, queries, tokens])) as tf.Tensor4D;
}

/** Numerator over denominator. */
export function divided({ numerator, denominator }: KernelizedSums): tf.Tensor4D {
  return tf.div(numerator, tf.maximum(denominator, SMALLEST));
}
