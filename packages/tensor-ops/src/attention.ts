import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.ts';
import { transposeLast } from './matMul.ts';
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
 * `q` [B, h, N, e]; each of `keys` [B, h, L, e] and of `values` [B, h, L, f] -> [B, h, N, f]. One set (D = 1) is plain
 * multi-head attention. The sets are visited one after the other, merged by their running maximum and sum, and computed
 * again for the gradient: no more than one N x L map per head exists at a time, and none is kept for the gradient.
 * Source: Milakov and Gimelshein, arXiv 1805.02867 (the merge); Dao et al., arXiv 2205.14135 (recomputation).
 *
 * @throws ShapeError if the sets differ in number or shape; ConfigError for no set or a scale that is not finite
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
  const [batch, heads, queries, size] = q.shape;
  const valueSize = (valueSets[0] as tf.Tensor4D).shape[3];
  const flatten = (x: tf.Tensor4D) => tf.reshape(x, [batch * heads, x.shape[2], x.shape[3]]) as tf.Tensor3D;
  const sets = keySets.length;
  const inputs = [tf.reshape(q, [batch * heads, queries, size]), ...keySets.map(flatten), ...valueSets.map(flatten)];

  const y = withGradient(
    inputs as tf.Tensor3D[],
    (inputs) => {
      const { output, logSumExp } = forward(inputs, sets, scale);
      return { value: output, saved: [output, logSumExp, ...inputs] as tf.Tensor3D[] };
    },
    (dy, saved) => backward(dy, saved, sets, scale),
  );
  return tf.reshape(y, [batch, heads, queries, valueSize]) as tf.Tensor4D;
}

/**
 * The attention weights themselves, for pictures and tests: `A` [D, B, h, N, L], summing to 1 over D and L together.
 *
 * Holds D maps of N x L per head at once: pass the queries of interest only. Not differentiable.
 */
export function attentionWeights(
  q: tf.Tensor4D,
  keys: readonly tf.Tensor4D[],
  options: AttentionOptions = {},
): tf.Tensor5D {
  const scale = checkedScale(q, keys, keys, options.scale);
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
  if (!Number.isFinite(scale)) throw new ConfigError('scale', 'a finite number', scale);
  const [first] = keys;
  if (first === undefined) throw new ConfigError('keys', 'at least one set', '0 sets');
  if (keys.length !== values.length) {
    throw new ShapeError({ argument: 'values', expected: `${keys.length} sets, as keys`, actual: `${values.length}` });
  }
  assertShape('q', q, ['B', 'h', 'N', 'e']);
  const [batch, heads, , size] = q.shape;
  keys.forEach((k, d) => {
    assertShape(`keys[${d}]`, k, [batch, heads, first.shape[2], size], `q is ${formatShape(q.shape)}.`);
  });
  values.forEach((v, d) => {
    assertShape(`values[${d}]`, v, [batch, heads, first.shape[2], values[0]?.shape[3] ?? 'f']);
  });
  return scale;
}

/** Shapes: G = B*h; inputs q [G, N, e], D keys [G, L, e], D values [G, L, f]; logSumExp [G, N, 1]. */
function forward(inputs: readonly tf.Tensor3D[], sets: number, scale: number) {
  const q = tf.mul(inputs[0] as tf.Tensor3D, scale);
  let max: tf.Tensor | undefined;
  let sum: tf.Tensor | undefined;
  let output: tf.Tensor | undefined;
  for (let d = 0; d < sets; d++) {
    // What the loop's turn made and the next one does not need is freed at once: that is the point of streaming.
    const next = tf.tidy(() => {
      const scores = tf.matMul(q, transposeLast(inputs[1 + d] as tf.Tensor3D));
      const setMax = tf.max(scores, -1, true);
      const newMax = max ? tf.maximum(max, setMax) : setMax;
      const weights = tf.exp(tf.sub(scores, newMax));
      const setSum = tf.sum(weights, -1, true);
      const setOutput = tf.matMul(weights, inputs[1 + sets + d] as tf.Tensor3D);
      if (!max || !sum || !output) return { max: newMax, sum: setSum, output: setOutput };
      const decay = tf.exp(tf.sub(max, newMax));
      return {
        max: newMax,
        sum: tf.add(tf.mul(sum, decay), setSum),
        output: tf.add(tf.mul(output, decay), setOutput),
      };
    });
    tf.dispose([max, sum, output].filter((x) => x !== undefined));
    ({ max, sum, output } = next);
  }
  return {
    output: tf.div(output as tf.Tensor, sum as tf.Tensor) as tf.Tensor3D,
    logSumExp: tf.add(max as tf.Tensor, tf.log(sum as tf.Tensor)) as tf.Tensor3D,
  };
}

/**
 * With P = exp(scale q K^T - logSumExp), delta_i = dy_i . y_i:
 * dV = P^T dy; dS = P * (dy V^T - delta); dq = scale * sum_d dS K; dK = scale * dS^T q.
 */
function backward(dy: tf.Tensor3D, saved: readonly tf.Tensor3D[], sets: number, scale: number): tf.Tensor[] {
  const [output, logSumExp, ...inputs] = saved as [tf.Tensor3D, tf.Tensor3D, ...tf.Tensor3D[]];
  const q = tf.mul(inputs[0] as tf.Tensor3D, scale);
  const qT = transposeLast(q);
  const dyT = transposeLast(dy);
  const delta = tf.sum(tf.mul(dy, output), -1, true);
  let dq: tf.Tensor | undefined;
  const dKeys: tf.Tensor[] = [];
  const dValues: tf.Tensor[] = [];
  for (let d = 0; d < sets; d++) {
    const turn = tf.tidy(() => {
      const k = inputs[1 + d] as tf.Tensor3D;
      const v = inputs[1 + sets + d] as tf.Tensor3D;
      const weights = tf.exp(tf.sub(tf.matMul(q, transposeLast(k)), logSumExp));
      const dScores = tf.mul(weights, tf.sub(tf.matMul(dy, transposeLast(v)), delta));
      return {
        dq: dq ? tf.add(dq, tf.matMul(dScores, k)) : tf.matMul(dScores, k),
        // (dy^T P)^T and (q^T dS)^T: the small operands are transposed, never the N x L maps.
        dKey: transposeLast(tf.matMul(qT, dScores)),
        dValue: transposeLast(tf.matMul(dyT, weights)),
      };
    });
    dq?.dispose();
    dq = turn.dq;
    dKeys.push(turn.dKey);
    dValues.push(turn.dValue);
  }
  return [tf.mul(dq as tf.Tensor, scale), ...dKeys, ...dValues];
}
