import * as tf from '@tensorflow/tfjs-core';

/**
 * Tokens or patterns in the domain in which a {@link Correlator} multiplies them: one tensor (dense), or real and
 * imaginary parts (dft).
 */
export type Signal = tf.Tensor[];

/**
 * A way to correlate by tfjs' operations, cut into the steps that an operator shares between its patterns.
 *
 * Tokens are [B, h, N, c] outside. Inside they are of rank 4 as well, in the order that suits the method, with c last:
 * `enter` and `leave` change the order. No function here is differentiable; those who call them state the gradient.
 */
export interface Correlator {
  enter(x: tf.Tensor4D): tf.Tensor4D;
  leave(x: tf.Tensor4D): tf.Tensor4D;
  /** tokens (inside) -> their signal */
  analyse(x: tf.Tensor4D): Signal;
  /** `sizes`: those of the result, inside */
  synthesise(signal: Signal, sizes: tf.Tensor4D['shape']): tf.Tensor4D;
  /** table [h, D, ...offsets] -> one signal for each of the D patterns */
  patterns(table: tf.Tensor): Signal[];
  /** `y[n] = sum_m pattern[m - n] x[m]` */
  correlate(x: Signal, pattern: Signal): Signal;
  /** `x[m] = sum_n pattern[m - n] y[n]`, the transpose of {@link correlate} */
  convolve(y: Signal, pattern: Signal): Signal;
  /** The part of one pattern's gradient in which dy = the gradient of {@link correlate}'s result: over all B and c. */
  cross(dy: Signal, x: Signal): Signal;
  /** The gradient of the table from the D results of {@link cross}; `shape` is the table's. */
  tableGradient(parts: readonly Signal[], shape: readonly number[]): tf.Tensor;
}

/** `sum + term`, both of which are disposed: so that a sum over many patterns holds one of them at a time. */
export function addSignals(sum: Signal | undefined, term: Signal): Signal {
  if (sum === undefined) return term;
  const next = sum.map((part, i) => tf.add(part, term[i] as tf.Tensor));
  tf.dispose([...sum, ...term]);
  return next;
}

/** The same for tensors. */
export function addTokens<T extends tf.Tensor>(sum: T | undefined, term: T): T {
  return addSignals(sum && [sum], [term])[0] as T;
}
