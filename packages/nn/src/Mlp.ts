import { gelu, type Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { Linear, Pointwise } from './Linear.ts';
import { Module } from './Module.ts';

/** Options of {@link Mlp}. */
export interface MlpOptions {
  readonly hidden: number;
  /** `linear`: weights as PyTorch `Linear`; 2 or 3: as 1x1 convolutions of maps of that many dimensions */
  readonly kind: 'linear' | 2 | 3;
  readonly rng: Rng;
}

/** Two affine maps with exact GELU between: `fc2(gelu(fc1(x)))`, [..., C] -> [..., C]. State: `fc1.*`, `fc2.*`. */
export class Mlp extends Module {
  readonly fc1: Linear | Pointwise;
  readonly fc2: Linear | Pointwise;

  constructor(channels: number, { hidden, kind, rng }: MlpOptions) {
    super();
    const layer = (inputs: number, outputs: number) =>
      kind === 'linear'
        ? new Linear(inputs, outputs, { rng })
        : new Pointwise(inputs, outputs, { dimensions: kind, rng });
    this.fc1 = this.child('fc1', layer(channels, hidden));
    this.fc2 = this.child('fc2', layer(hidden, channels));
  }

  forward<T extends tf.Tensor>(x: T): T {
    return tf.tidy(() => this.fc2.forward(gelu(this.fc1.forward(x))));
  }
}
