import { ConfigError, type Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { Module } from './Module.ts';

/**
 * In training mode each value is dropped with probability `rate`, and divided by the keep probability where it is kept.
 * Nothing happens in evaluation mode. Source: Srivastava et al., JMLR 15, 2014.
 */
export class Dropout extends Module {
  readonly rate: number;
  readonly #rng: Rng;

  /** @throws ConfigError if rate is not in [0, 1) */
  constructor(rate: number, rng: Rng) {
    super();
    if (!(rate >= 0 && rate < 1)) throw new ConfigError('dropout', 'a rate in [0, 1)', rate);
    this.rate = rate;
    this.#rng = rng;
  }

  /** Any shape -> the same shape; `x` itself where nothing is dropped. */
  forward<T extends tf.Tensor>(x: T): T {
    if (!this.training || this.rate === 0) return x;
    const keep = 1 - this.rate;
    const mask = Float32Array.from({ length: x.size }, () => (this.#rng.uniform() < keep ? 1 / keep : 0));
    return tf.tidy(() => tf.mul(x, tf.tensor(mask, x.shape)) as T);
  }
}
