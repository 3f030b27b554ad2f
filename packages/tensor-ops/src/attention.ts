import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.ts';
import { rawMatMul, transposeLast } from './matMul.ts';
import { assertShape, formatShape } from './shape.ts';
import { withGradient } from './withGradient.ts';

/** Options of {@link attention}. */
export interface AttentionOptions {
  /** What the products of queries and keys are multiplied by before the softmax; default `1/sqrt(e)`. */
  readonly scale?: number;
}

/**
 * Softmax attention of queries over D sets of keys and values, with **one** softmax over all D*L entries:
 *
 * `y_i = sum_{d,j} A_{i,d,j} values[d]_j`, `A_i = softmax over (d,j) of scale * q_i . keys[d]_j`.
 *
 * `q` [B, h, N, e]; each of `keys` [B, h, L, e] and of `values` [B, h, L, f] -> [B, h, N, f]; every set may have an L of its
 * own. One set (D = 1) is plain multi-head attention. The sets are visited one after the other and merged by the logarithms
 * of their sums of exponentials; the gradient visits them again: maps of N x L exist for one set at a time, and none is
 * kept.
 * Source: Milakov and Gimelshein, arXiv 1805.02867 (the merge); Dao et al., arXiv 2205.14135 (recomputation).
 *
 * @throws ShapeError if keys and values do not belong together; ConfigError for no set or a scale that is not finite
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
  const [batch, heads, queries] = q.shape;
  const valueSize = (valueSets[0] as tf.Tensor4D).shape[3];
  const count = keySets.length;
  const flatten = (x: tf.Tensor4D) => tf.reshape(x, [batch * heads, x.shape[2], x.shape[3]]) as tf.Tensor3D;
  const toSets = ([q, ...sets]: readonly tf.Tensor3D[]): Sets => ({
    q: q as tf.Tensor3D,
    keys: sets.slice(0, count),
    values: sets.slice(count),
  });

  return tf.tidy(() => {
    const y = withGradient(
      [flatten(q), ...keySets.map(flatten), ...valueSets.map(flatten)] as readonly tf.Tensor3D[],
      (inputs) => {
        const { output, shares } = forward(toSets(inputs), scale);
        return { value: output, saved: [output, ...shares, ...inputs] as readonly tf.Tensor3D[] };
      },
      (dy, [output, ...saved]) =>
        backward(dy, output as tf.Tensor3D, saved.slice(0, count), toSets(saved.slice(count)), scale),
    );
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
  for (const [d, k] of keys.entries()) assertShape(`keys[${d}]`, k, [batch, heads, length, 'e'], 'All sets are as long.');
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

/** Shapes here: G = B*h; q [G, N, e]; D keys [G, L, e] and values [G, L, f]; what is per query [G, N, 1]. */
interface Sets {
  readonly q: tf.Tensor3D;
  readonly keys: readonly tf.Tensor3D[];
  readonly values: readonly tf.Tensor3D[];
}

/**
 * Attention over D sets as a mixture of D attentions: with P_d = softmax of set d alone and lse_d the log of the sum of
 * its exponentials, `y = sum_d w_d P_d V_d`, `w_d = softmax over d of lse_d`.
 */
function forward({ q, keys, values }: Sets, scale: number) {
  const scaled = tf.mul(q, scale);
  const parts = keys.map((k, d) =>
    // What a turn makes and the next does not need is freed at once: that is the point of streaming.
    tf.tidy(() => {
      const scores = rawMatMul(scaled, transposeLast(k));
      const weights = tf.softmax(scores, -1);
      const output = rawMatMul(weights, values[d] as tf.Tensor3D);
      // The largest weight is exp(max - lse): the sum of exponentials without a pass for it.
      const logSumExp = tf.sub(tf.max(scores, -1, true), tf.log(tf.max(weights, -1, true)));
      return { output, logSumExp };
    }),
  );
  const mixture = tf.softmax(
    tf.concat(
      parts.map((part) => part.logSumExp),
      -1,
    ),
    -1,
  );
  const shares = tf.split(mixture, keys.length, -1) as tf.Tensor3D[];
  const output = sum(parts.map((part, d) => tf.mul(part.output, shares[d] as tf.Tensor3D)));
  return { output, shares };
}

/**
 * With the full weights A_d = w_d P_d and delta_i = dy_i . y_i:
 * dV_d = A_d^T dy; dS_d = A_d * (dy V_d^T - delta); dq = scale * sum_d dS_d K_d; dK_d = scale * dS_d^T q.
 *
 * w_d, one number for each query, is multiplied into dy and delta, never into an N x L map.
 */
function backward(dy: tf.Tensor3D, output: tf.Tensor3D, shares: readonly tf.Tensor3D[], sets: Sets, scale: number) {
  const q = tf.mul(sets.q, scale) as tf.Tensor3D;
  const qT = transposeLast(q);
  const delta = tf.sum(tf.mul(dy, output), -1, true);
  const parts = sets.keys.map((k, d) =>
    tf.tidy(() => {
      const share = shares[d] as tf.Tensor3D;
      const sharedDy = tf.mul(dy, share) as tf.Tensor3D;
      const weights = tf.softmax(rawMatMul(q, transposeLast(k)), -1);
      const dWeights = rawMatMul(sharedDy, transposeLast(sets.values[d] as tf.Tensor3D));
      const dScores = tf.mul(weights, tf.sub(dWeights, tf.mul(delta, share)));
      return {
        dq: rawMatMul(dScores, k),
        // (dy^T A)^T and (q^T dS)^T: the small operands are transposed, never the N x L maps.
        dKey: transposeLast(rawMatMul(qT, dScores)),
        dValue: transposeLast(rawMatMul(transposeLast(sharedDy), weights)),
      };
    }),
  );
  const dq = tf.mul(sum(parts.map((part) => part.dq as tf.Tensor3D)), scale);
  return [dq, ...parts.map((part) => part.dKey), ...parts.map((part) => part.dValue)];
}

/** Two by two: `addN` binds all of its terms at once, and webgpu has too few bindings for many sets. */
function sum(terms: readonly tf.Tensor3D[]): tf.Tensor3D {
  return terms.reduce((total, term) => tf.add(total, term));
}
