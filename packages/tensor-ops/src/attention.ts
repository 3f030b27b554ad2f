import * as tf from '@tensorflow/tfjs-core';
import { explicitAttention } from './attentionExplicit.ts';
import { fusedAttention, fusedRefusal } from './attentionFused.ts';
import { BackendError } from './backendError.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { usesKernel } from './kernelMode.ts';
import { ATTENTION } from './kernels/names.ts';
import { transposeLast } from './matMul.ts';
import { assertShape, formatShape } from './shape.ts';

/** Options of {@link attention}. */
export interface AttentionOptions {
  /** What the products of queries and keys are multiplied by before the softmax; default `1/sqrt(e)`. */
  readonly scale?: number;
  /**
   * What the fused kernel holds queries, keys and values in while it works on a block of them; default `f32`. `f16` takes
   * half the workgroup memory, has 11 bits, and turns what exceeds 65,504 into infinity; products and sums are float32
   * either way. For GPU devices with the feature `shader-f16`.
   */
  readonly storage?: 'f32' | 'f16';
}

/**
 * Softmax attention of queries over D sets of keys and values, with **one** softmax over all D*L entries:
 *
 * `y_i = sum_{d,j} A_{i,d,j} values[d]_j`, `A_i = softmax over (d,j) of scale * q_i . keys[d]_j`.
 *
 * `q` [B, h, N, e]; each of `keys` [B, h, L, e] and of `values` [B, h, L, f] -> [B, h, N, f]; every set may have an L of its
 * own. One set (D = 1) is plain multi-head attention.
 *
 * Maps of N x L are not kept, forward or backward. On the explicit path they exist for one set at a time; the fused kernel
 * (webgpu, float32, e and f up to 128; see `setKernelMode`) writes none at all. It joins several sets into one first: hand
 * over one set of D*L keys where you have the choice.
 * Source: Milakov and Gimelshein, arXiv 1805.02867; Dao et al., arXiv 2205.14135.
 *
 * @throws ShapeError if keys and values do not belong together, or exceed what the GPU binds; ConfigError for no set, a
 *   scale that is not finite or a mode of the kernels that cannot be; BackendError for `f16` where it cannot be had
 */
export function attention(
  q: tf.Tensor4D,
  keys: tf.Tensor4D | readonly tf.Tensor4D[],
  values: tf.Tensor4D | readonly tf.Tensor4D[],
  options: AttentionOptions = {},
): tf.Tensor4D {
  const keySets = Array.isArray(keys) ? (keys as readonly tf.Tensor4D[]) : [keys as tf.Tensor4D];
  const valueSets = Array.isArray(values) ? (values as readonly tf.Tensor4D[]) : [values as tf.Tensor4D];
  const scale = checkedScale(q, keySets, valueSets, options.scale);
  const storage = options.storage ?? 'f32';
  if (storage !== 'f32' && storage !== 'f16') throw new ConfigError('storage', "'f32' or 'f16'", storage);
  const [batch, heads, queries] = q.shape;
  const valueSize = (valueSets[0] as tf.Tensor4D).shape[3];

  return tf.tidy(() => {
    const inputs = [q, ...keySets, ...valueSets].map(
      (x) => tf.reshape(x, [batch * heads, x.shape[2], x.shape[3]]) as tf.Tensor3D,
    );
    const fused = usesKernel(ATTENTION, fusedRefusal(inputs));
    if (storage === 'f16' && !fused) {
      throw new BackendError(tf.getBackend(), "storage: 'f16' is for the fused kernel, which is not used here");
    }
    const y = fused ? fusedAttention(inputs, scale, storage) : explicitAttention(inputs, scale);
    return tf.reshape(y, [batch, heads, queries, valueSize]) as tf.Tensor4D;
  });
}

/**
 * The attention weights themselves, for pictures and tests: `A` [D, B, h, N, L], summing to 1 over D and L together; here
 * all sets have the same L.
 *
 * Holds D maps of N x L per head at once: pass the queries of interest only. Not differentiable.
 */
export function attentionWeights(
  q: tf.Tensor4D,
  keys: readonly tf.Tensor4D[],
  options: AttentionOptions = {},
): tf.Tensor5D {
  const scale = checkedScale(q, keys, keys, options.scale);
  const [batch, heads, length] = (keys[0] as tf.Tensor4D).shape;
  for (const [d, k] of keys.entries())
    assertShape(`keys[${d}]`, k, [batch, heads, length, 'e'], 'All sets are as long.');
  return tf.tidy(() => {
    const scores = keys.map((k) => tf.matMul(tf.mul(q, scale), transposeLast(k)));
    const joint = tf.softmax(tf.concat(scores, -1), -1);
    return tf.stack(tf.split(joint, keys.length, -1)) as tf.Tensor5D;
  });
}

function checkedScale(
  q: tf.Tensor4D,
  keys: readonly tf.Tensor4D[],
  values: readonly tf.Tensor4D[],
  scale = 1 / Math.sqrt(q.shape[3]),
): number {
  assertShape('q', q, ['B', 'h', 'N', 'e']);
  if (!Number.isFinite(scale)) throw new ConfigError('scale', 'a finite number', scale);
  if (keys.length === 0) throw new ConfigError('keys', 'at least one set', '0 sets');
  if (keys.length !== values.length) {
    throw new ShapeError({ argument: 'values', expected: `${keys.length} sets, as keys`, actual: `${values.length}` });
  }
  const [batch, heads, , size] = q.shape;
  keys.forEach((k, d) => {
    assertShape(`keys[${d}]`, k, [batch, heads, 'L', size], `q is ${formatShape(q.shape)}.`);
  });
  values.forEach((v, d) => {
    assertShape(`values[${d}]`, v, [batch, heads, keys[d]?.shape[2] ?? 'L', values[0]?.shape[3] ?? 'f']);
  });
  return scale;
}
