import {
  batchNormInference,
  batchNormTraining,
  type ChannelStatistics,
  channelStatistics,
  layerNorm,
} from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { constant } from './initializers.ts';
import { Module } from './Module.ts';
import type { Counter, Parameter } from './parameter.ts';

/**
 * Layer normalisation over the last dimension, [..., C] -> [..., C]; see `layerNorm` of tensor-ops.
 *
 * State: `weight`, `bias` [C]. `eps` has no default: UniFormer uses 1e-5 in patch embeddings and 1e-6 in blocks.
 */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly eps: number;

  constructor(channels: number, eps: number) {
    super();
    this.weight = this.parameter('weight', [channels], { init: constant(1) });
    this.bias = this.parameter('bias', [channels]);
    this.eps = eps;
  }

  forward<T extends tf.Tensor>(x: T): T {
    this.assertUsable();
    return layerNorm(x, this.weight.variable as tf.Tensor1D, this.bias.variable as tf.Tensor1D, this.eps);
  }
}

/** Options of {@link BatchNorm}. */
export interface BatchNormOptions {
  /** inside the root; default 1e-5 */
  readonly eps?: number;
  /** weight of the new batch in the running statistics; default 0.1 */
  readonly momentum?: number;
}

/**
 * Batch normalisation of maps, [..., C] -> [..., C]: PyTorch's BatchNorm1d/2d/3d.
 *
 * Training mode normalises by the batch's biased variance and updates the running estimates, the variance by the
 * unbiased one: `running = (1 - momentum) running + momentum batch`. Evaluation mode uses the estimates.
 * State: `weight`, `bias`, `running_mean`, `running_var` [C], `num_batches_tracked`.
 */
export class BatchNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly runningMean: Parameter;
  readonly runningVar: Parameter;
  readonly batches: Counter;
  readonly eps: number;
  readonly momentum: number;

  constructor(channels: number, { eps = 1e-5, momentum = 0.1 }: BatchNormOptions = {}) {
    super();
    this.weight = this.parameter('weight', [channels], { init: constant(1) });
    this.bias = this.parameter('bias', [channels]);
    this.runningMean = this.buffer('running_mean', [channels]);
    this.runningVar = this.buffer('running_var', [channels], { init: constant(1) });
    this.batches = this.counter('num_batches_tracked');
    this.eps = eps;
    this.momentum = momentum;
  }

  forward<T extends tf.Tensor>(x: T): T {
    this.assertUsable();
    const gamma = this.weight.variable as tf.Tensor1D;
    const beta = this.bias.variable as tf.Tensor1D;
    if (!this.training) {
      const running = { mean: this.runningMean.variable, variance: this.runningVar.variable } as ChannelStatistics;
      return batchNormInference(x, gamma, beta, running, this.eps);
    }
    return tf.tidy(() => {
      const statistics = channelStatistics(x);
      this.#track(statistics, x.size / gamma.size);
      return batchNormTraining(x, gamma, beta, statistics, this.eps);
    });
  }

  #track({ mean, variance }: ChannelStatistics, count: number): void {
    const blend = (running: tf.Variable, batch: tf.Tensor) =>
      tf.tidy(() => running.assign(tf.add(tf.mul(running, 1 - this.momentum), tf.mul(batch, this.momentum))));
    blend(this.runningMean.variable, mean);
    blend(
      this.runningVar.variable,
      tf.tidy(() => tf.mul(variance, count / Math.max(1, count - 1))),
    );
    this.batches.value += 1n;
  }
}
