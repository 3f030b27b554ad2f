import { linear, type Rng } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import { fanInUniform, type Initializer, truncatedNormal } from './initializers.ts';
import { linearLayout, pointwiseLayout } from './layout.ts';
import { Module } from './Module.ts';
import type { Parameter } from './parameter.ts';

/** Options of {@link Linear}. */
export interface LinearOptions {
  /** default true */
  readonly bias?: boolean;
  /** first values of the weight; default truncated normal of std 0.02 */
  readonly init?: Initializer;
  /** seeds the weights */
  readonly rng: Rng;
}

/**
 * `y = x W + b` over the last dimension: [..., I] -> [..., O].
 *
 * State: `weight` [O, I], `bias` [O]. Starts as ViTs do, unless told otherwise: truncated normal of std 0.02, bias 0.
 */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inputs: number, outputs: number, { bias = true, rng, init = truncatedNormal(rng) }: LinearOptions) {
    super();
    this.weight = this.parameter('weight', [inputs, outputs], { init, layout: linearLayout });
    this.bias = bias ? this.parameter('bias', [outputs]) : undefined;
  }

  forward<T extends tf.Tensor>(x: T): T {
    this.assertUsable();
    return linear(x, this.weight.variable as tf.Tensor2D, this.bias?.variable as tf.Tensor1D | undefined) as T;
  }
}

/** Options of {@link Pointwise}. */
export interface PointwiseOptions {
  /** 2: stored as [O, I, 1, 1]; 3: as [O, I, 1, 1, 1] */
  readonly dimensions: 2 | 3;
  readonly rng: Rng;
}

/**
 * A 1x1 (or 1x1x1) convolution: an affine map of each position's channels, [..., I] -> [..., O].
 *
 * State: `weight` [O, I, 1, 1(, 1)], `bias` [O]; starts as PyTorch convolutions do.
 */
export class Pointwise extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(inputs: number, outputs: number, { dimensions, rng }: PointwiseOptions) {
    super();
    const init = fanInUniform(rng, inputs);
    this.weight = this.parameter('weight', [inputs, outputs], { init, layout: pointwiseLayout(dimensions) });
    this.bias = this.parameter('bias', [outputs], { init });
  }

  forward<T extends tf.Tensor>(x: T): T {
    this.assertUsable();
    return linear(x, this.weight.variable as tf.Tensor2D, this.bias.variable as tf.Tensor1D) as T;
  }
}
