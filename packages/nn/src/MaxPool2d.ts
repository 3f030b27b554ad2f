import { type MaxPoolOptions, maxPool2d } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import { Module } from './Module.ts';

/** Largest value in each window, as PyTorch's `MaxPool2d`: [B, H, W, C] -> [B, H', W', C]. No state. */
export class MaxPool2d extends Module {
  readonly options: MaxPoolOptions;

  constructor(options: MaxPoolOptions) {
    super();
    this.options = options;
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return maxPool2d(x, this.options);
  }
}
