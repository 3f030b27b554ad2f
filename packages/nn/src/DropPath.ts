import { ConfigError, type Rng, sizeAt } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { Module } from './Module.ts';

/**
 * Stochastic depth: in training mode a residual branch is dropped for each sample with probability `rate`, and divided
 * by the keep probability where it is kept. Nothing happens in evaluation mode. Source: Huang et al., arXiv 1603.09382.
 */
export class DropPath extends Module {
  readonly rate: number;
  readonly #rng: Rng;

  /** @throws ConfigError if rate is not in [0, 1) */
  constructor(rate: number, rng: Rng) {
    super();
    if (!(rate >= 0 && rate < 1)) throw new ConfigError('dropPath', 'a rate in [0, 1)', rate);
    this.rate = rate;
    this.#rng = rng;
  }

  /** `x` [B, ...] -> the same shape. */
  forward<T extends tf.Tensor>(x: T): T {
    if (!this.training || this.rate === 0) return x;
    const keep = 1 - this.rate;
    const mask = Float32Array.from({ length: sizeAt(x.shape, 0) }, () => (this.#rng.uniform() < keep ? 1 / keep : 0));
    return tf.tidy(() => {
      // Rank 2: webgpu cannot broadcast at rank 5.
      const samples = tf.reshape(x, [mask.length, -1]);
      return tf.reshape(tf.mul(samples, tf.tensor(mask, [mask.length, 1])), x.shape) as T;
    });
  }
}
