import { addBias, conv2d, type Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { fanInUniform, type Initializer } from './initializers.ts';
import { convLayout } from './layout.ts';
import { Module } from './Module.ts';
import type { Parameter } from './parameter.ts';

/** Options of {@link Conv2d}. */
export interface Conv2dLayerOptions {
  /** side of the filter, or [rows, columns] */
  readonly kernel: number | readonly [number, number];
  /** default 1 */
  readonly stride?: number;
  /** zeros on every side; default 0 */
  readonly padding?: number | readonly [number, number];
  /** default true */
  readonly bias?: boolean;
  /** first values of the weight; default PyTorch's, uniform with bound `1/sqrt(fan-in)` */
  readonly init?: Initializer;
  readonly rng: Rng;
}

/**
 * Convolution of maps with explicit padding, as PyTorch's `Conv2d`: [B, H, W, I] -> [B, H', W', O]; see `conv2d` of
 * tensor-ops.
 *
 * State: `weight` [O, I, kh, kw], `bias` [O].
 */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly stride: number;
  readonly padding: number | readonly [number, number];

  constructor(
    inputs: number,
    outputs: number,
    { kernel, stride = 1, padding = 0, bias = true, rng, init }: Conv2dLayerOptions,
  ) {
    super();
    const [rows, columns] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
    const byFanIn = fanInUniform(rng, inputs * rows * columns);
    this.weight = this.parameter('weight', [rows, columns, inputs, outputs], {
      init: init ?? byFanIn,
      layout: convLayout,
    });
    this.bias = bias ? this.parameter('bias', [outputs], { init: byFanIn }) : undefined;
    this.stride = stride;
    this.padding = padding;
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    this.assertUsable();
    const { stride, padding } = this;
    const bias = this.bias?.variable as tf.Tensor1D | undefined;
    return tf.tidy(() => {
      const y = conv2d(x, this.weight.variable as tf.Tensor4D, { stride, padding });
      return bias ? addBias(y, bias) : y;
    });
  }
}
