import * as tf from '@tensorflow/tfjs-core';
import { rawMatMul, transposeLast } from './matMul.ts';
import { withGradient } from './withGradient.ts';

/**
 * The explicit path of `attention`, composed of tfjs' operations: the reference of the fused kernels, and what runs where
 * there are none.
 *
 * The sets are visited one after the other and merged by the logarithms of their sums of exponentials; the gradient visits
 * them again: maps of N x L exist for one set at a time, and none is kept.
 * Source: Milakov and Gimelshein, arXiv 1805.02867 (the merge); Dao et al., arXiv 2205.14135 (recomputation).
 *
 * @param inputs q [G, N, e], D keys [G, L, e], D values [G, L, f], with G = B*h
 * @returns [G, N, f]
 */
export function explicitAttention(inputs: readonly tf.Tensor3D[], scale: number): tf.Tensor3D {
  const count = (inputs.length - 1) / 2;
  const toSets = ([q, ...sets]: readonly tf.Tensor3D[]): Sets => ({
    q: q as tf.Tensor3D,
    keys: sets.slice(0, count),
    values: sets.slice(count),
  });
  return withGradient(
    inputs,
    (inputs) => {
      const { output, shares } = forward(toSets(inputs), scale);
      return { value: output, saved: [output, ...shares, ...inputs] as readonly tf.Tensor3D[] };
    },
    (dy, [output, ...saved]) =>
      backward(dy, output as tf.Tensor3D, saved.slice(0, count), toSets(saved.slice(count)), scale),
  );
}

/** Shapes here: q [G, N, e]; D keys [G, L, e] and values [G, L, f]; what is per query [G, N, 1]. */
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
  const [only, ...others] = keys as [tf.Tensor3D, ...tf.Tensor3D[]];
  if (others.length === 0) {
    const weights = tf.softmax(rawMatMul(scaled, transposeLast(only)), -1);
    const output = rawMatMul(weights, values[0] as tf.Tensor3D) as tf.Tensor3D;
    return { output, shares: [tf.ones([q.shape[0], q.shape[1], 1]) as tf.Tensor3D] };
  }
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
