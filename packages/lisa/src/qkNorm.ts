import { ConfigError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { LisaMode } from './lisaAttention.ts';

/** How queries and keys are normalised: `l2` both to length 1, `scale` queries by `(C/h)^-0.5`, `none` not at all. */
export type QkNorm = 'l2' | 'scale' | 'none';

/** The spec's default: `l2` bounds the kernel of mode `structure` by 1; the other modes have none. */
export function resolveQkNorm(mode: LisaMode, qkNorm?: QkNorm): QkNorm {
  const chosen = qkNorm ?? (mode === 'structure' ? 'l2' : 'none');
  if (chosen === 'l2' || chosen === 'scale' || chosen === 'none') return chosen;
  throw new ConfigError('qkNorm', '"l2", "scale" or "none"', chosen);
}

/** `l2`: `t / sqrt(sum_c t^2 + 1e-6)` for q and k; `scale`: `q (C/h)^-0.5`. q, k [B, h, N, C/h]. */
export function normalizeQk(q: tf.Tensor4D, k: tf.Tensor4D, qkNorm: QkNorm): [q: tf.Tensor4D, k: tf.Tensor4D] {
  if (qkNorm === 'none') return [q, k];
  if (qkNorm === 'scale') return [tf.mul(q, q.shape[3] ** -0.5), k];
  const unit = (x: tf.Tensor4D) =>
    tf.tidy(() => tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), -1, true), 1e-6))) as tf.Tensor4D);
  return [unit(q), unit(k)];
}
