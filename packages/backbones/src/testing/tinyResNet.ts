import { type FeatureGate, type FeatureGateSpec, Module } from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { ResNetConfig, ResNetVideoConfig } from '../resnetConfig.ts';

/** ResNet's plan in sizes that take milliseconds. */
export const TINY_RESNET: ResNetConfig = { depths: [1, 2], width: 8, numClasses: 5 };

/** TSM's: 3 frames, a quarter of the channels moves each way. */
export const TINY_TSM: ResNetVideoConfig = { ...TINY_RESNET, frames: 3, shiftDiv: 4 };

/** A gate that remembers what it was given, and multiplies by its only weight, which starts as 0.5. */
class Recorder extends Module implements FeatureGate {
  readonly seen: number[][] = [];
  readonly scale = this.parameter('scale', [1], { init: () => Float32Array.of(0.5) });

  forward(x: tf.Tensor5D): tf.Tensor5D {
    this.seen.push(x.shape);
    return tf.mul(x, this.scale.variable);
  }
}

/** Recorders, all of them in `made`. */
export function recorder(
  stateName?: string,
): FeatureGateSpec & { readonly made: { channels: number; gate: Recorder }[] } {
  const made: { channels: number; gate: Recorder }[] = [];
  return {
    name: 'recorder',
    ...(stateName === undefined ? {} : { stateName }),
    made,
    create: ({ channels }) => {
      const gate = new Recorder();
      made.push({ channels, gate });
      return gate;
    },
    cost: ({ channels, grid }) => ({ params: 1, macs: channels * grid[0] * grid[1] * grid[2], activationBytes: 0 }),
  };
}
