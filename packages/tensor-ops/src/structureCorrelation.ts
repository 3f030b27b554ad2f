import * as tf from '@tensorflow/tfjs-core';
import { addSignals, addTokens, type Correlator, type Signal } from './gridCorrelationExplicit.ts';
import { correlatorFor, usesFft } from './gridCorrelationMethods.ts';
import {
  assertTable,
  assertTokens,
  type GridCorrelationOptions,
  type GridProblem,
  gridProblem,
} from './gridCorrelationProblem.ts';
import { STRUCTURE_CORRELATION, STRUCTURE_CORRELATION_GRAD } from './kernels/names.ts';
import { withGradient } from './withGradient.ts';

/**
 * Structure-aware attention without a softmax: D patterns of relative positions weight the products of a query with all
 * keys, and D more place the values.
 *
 * `y[n] = sum over d of (q[n] . (P_d * k)[n]) (U_d * v)[n]`, where `(R * x)[n] = sum over m of R[m - n] x[m]`.
 *
 * `q`, `k`, `v` [B, h, N, c], `P`, `U` [h, D, ...offsets] (the tables of {@link gridCorrelation}) -> [B, h, N, c].
 * Differentiable in all five, once. The gradient keeps its inputs and nothing else; forward and backward visit the
 * patterns one after the other, so that memory grows with N and not with D N or N^2 (save for the method `dense`).
 * Source: the default mode of LiSA (arXiv 2211.16289) as reconstructed from its abstract.
 *
 * @throws as gridCorrelation
 */
export function structureCorrelation(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  P: tf.Tensor,
  U: tf.Tensor,
  options: GridCorrelationOptions,
): tf.Tensor4D {
  const problem = gridProblem(options);
  assertTokens('q', q, problem);
  assertTokens('k', k, problem, q.shape);
  assertTokens('v', v, problem, q.shape);
  assertTable('P', P, [q.shape[1], 'D'], problem);
  assertTable('U', U, [q.shape[1], P.shape[1] as number], problem);
  const inputs = [q, k, v, P, U] as const;
  if (usesFft(STRUCTURE_CORRELATION, problem, options, inputs)) return byKernel(inputs, problem);
  const correlator = () => correlatorFor(problem, options);
  return withGradient(
    inputs,
    (inputs) => ({ value: tf.tidy(() => forward(correlator(), inputs)), saved: inputs }),
    (dy, inputs) => backward(correlator(), dy, inputs),
  );
}

type Inputs = readonly [q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, P: tf.Tensor, U: tf.Tensor];

function forward(by: Correlator, [q, k, v, P, U]: Inputs): tf.Tensor4D {
  const query = by.enter(q);
  const [keys, values] = [by.analyse(by.enter(k)), by.analyse(by.enter(v))];
  const patterns = by.patterns(U);
  let y: tf.Tensor4D | undefined;
  for (const [d, pattern] of by.patterns(P).entries()) {
    const term = tf.tidy(() => {
      const scores = dot(query, by.synthesise(by.correlate(keys, pattern), query.shape));
      const placed = by.synthesise(by.correlate(values, patterns[d] as Signal), query.shape);
      return tf.mul(placed, scores) as tf.Tensor4D;
    });
    y = addTokens(y, term);
  }
  return by.leave(y as tf.Tensor4D);
}

/**
 * With S_d = q . (P_d * k) and dS_d = dy . (U_d * v), which are one number for each token:
 * dq = sum_d dS_d (P_d * k); dk and dv are the transposed correlations of dS_d q with P_d and of S_d dy with U_d, added up
 * before they are transformed back; dP_d and dU_d the correlations of the same with k and v.
 */
function backward(by: Correlator, dy: tf.Tensor4D, [q, k, v, P, U]: Inputs): tf.Tensor[] {
  const [query, slope] = [by.enter(q), by.enter(dy)];
  const [keys, values] = [by.analyse(by.enter(k)), by.analyse(by.enter(v))];
  const patterns = by.patterns(U);
  let dq: tf.Tensor4D | undefined;
  let dKeys: Signal | undefined;
  let dValues: Signal | undefined;
  const [dP, dU]: [Signal[], Signal[]] = [[], []];
  for (const [d, pattern] of by.patterns(P).entries()) {
    const other = patterns[d] as Signal;
    const turn = tf.tidy(() => {
      const found = by.synthesise(by.correlate(keys, pattern), query.shape);
      const scores = dot(query, found);
      const dScores = dot(slope, by.synthesise(by.correlate(values, other), query.shape));
      const dFound = by.analyse(tf.mul(query, dScores));
      const dPlaced = by.analyse(tf.mul(slope, scores));
      return {
        dq: tf.mul(found, dScores) as tf.Tensor4D,
        dKeys: by.convolve(dFound, pattern),
        dValues: by.convolve(dPlaced, other),
        dP: by.cross(dFound, keys),
        dU: by.cross(dPlaced, values),
      };
    });
    dq = addTokens(dq, turn.dq);
    dKeys = addSignals(dKeys, turn.dKeys);
    dValues = addSignals(dValues, turn.dValues);
    dP.push(turn.dP);
    dU.push(turn.dU);
  }
  const tokens = (sum: Signal | undefined) => by.leave(by.synthesise(sum as Signal, query.shape));
  return [
    by.leave(dq as tf.Tensor4D),
    tokens(dKeys),
    tokens(dValues),
    by.tableGradient(dP, P.shape),
    by.tableGradient(dU, U.shape),
  ];
}

/** The scalar products of rows: [.., .., .., c] -> [.., .., .., 1]. */
function dot(a: tf.Tensor4D, b: tf.Tensor4D): tf.Tensor {
  return tf.sum(tf.mul(a, b), -1, true);
}

/** Both directions by kernels. */
function byKernel(inputs: Inputs, { grid, padding }: GridProblem): tf.Tensor4D {
  const attributes = { grid: [...grid], padding };
  return withGradient(
    inputs,
    (saved) => {
      const [q, k, v, P, U] = saved;
      const value = tf.engine().runKernel(STRUCTURE_CORRELATION, { q, k, v, P, U }, attributes) as tf.Tensor4D;
      return { value, saved };
    },
    (dy, [q, k, v, P, U]) =>
      tf.engine().runKernel(STRUCTURE_CORRELATION_GRAD, { dy, q, k, v, P, U }, attributes) as tf.Tensor[],
  );
}
