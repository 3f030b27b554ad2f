import { assertInteger, assertShape, type Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { linearCost, sequence } from './cost.ts';
import type { FeatureGate, FeatureGateSpec } from './featureGate.ts';
import { Pointwise } from './Linear.ts';
import { Module } from './Module.ts';

/** Options of {@link squeezeExcitation}. */
export interface SqueezeExcitationOptions {
  /** channels over hidden channels; default 16 */
  readonly reduction?: number;
}

/**
 * Squeeze and excitation: each channel of a frame is weighed by what all channels are on average.
 *
 * ```
 * y = x * sigmoid(fc2(relu(fc1(mean of x over H and W))))
 * ```
 *
 * `x` [B, T, H, W, C] -> the same shape; frames know nothing of each other. State, as in torchvision: `fc1.*`, `fc2.*`, 1x1
 * convolutions. Source: Hu et al., arXiv 1709.01507.
 */
export class SqueezeExcitation extends Module implements FeatureGate {
  readonly channels: number;
  readonly fc1: Pointwise;
  readonly fc2: Pointwise;

  constructor(channels: number, { hidden, rng }: { readonly hidden: number; readonly rng: Rng }) {
    super();
    this.channels = channels;
    this.fc1 = this.child('fc1', new Pointwise(channels, hidden, { dimensions: 2, rng }));
    this.fc2 = this.child('fc2', new Pointwise(hidden, channels, { dimensions: 2, rng }));
  }

  /** @throws ShapeError for another rank or another number of channels */
  forward(x: tf.Tensor5D): tf.Tensor5D {
    assertShape('x', x, ['B', 'T', 'H', 'W', this.channels]);
    const [batch, frames, height, width, channels] = x.shape;
    return tf.tidy(() => {
      // Rank 3: webgpu cannot broadcast at rank 5.
      const maps = tf.reshape(x, [batch * frames, height * width, channels]);
      const gate = tf.sigmoid(this.fc2.forward(tf.relu(this.fc1.forward(tf.mean(maps, 1, true)))));
      return tf.reshape(tf.mul(maps, gate), x.shape);
    });
  }
}

/**
 * Squeeze and excitation as a gate of a backbone.
 *
 * @throws ConfigError unless reduction is a positive integer
 */
export function squeezeExcitation({ reduction = 16 }: SqueezeExcitationOptions = {}): FeatureGateSpec {
  assertInteger('reduction', reduction, 1);
  const hiddenOf = (channels: number) => Math.max(1, Math.floor(channels / reduction));
  return {
    name: `se-${reduction}`,
    stateName: 'se',
    create: ({ channels, rng }) => new SqueezeExcitation(channels, { hidden: hiddenOf(channels), rng }),
    cost: ({ channels, grid: [frames, height, width] }) => {
      const hidden = hiddenOf(channels);
      const { params, macs } = sequence([linearCost(frames, channels, hidden), linearCost(frames, hidden, channels)]);
      return { params, macs, activationBytes: 8 * frames * height * width * channels };
    },
  };
}
