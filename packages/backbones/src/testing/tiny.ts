import { type MixerSpec, type Module, plainAttention } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { product, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { BackboneConfig } from '../config.ts';
import { fourStages } from '../uniformer.ts';

/** UniFormer's plan in sizes that take milliseconds: 10 classes, 32x32 pixels at the least. */
export function tinyConfig(gridRank: 2 | 3, mixer: MixerSpec = plainAttention()): BackboneConfig {
  return { ...fourStages({ depths: [1, 1, 2, 1], dims: [8, 8, 16, 16], headDim: 8, gridRank, mixer }), numClasses: 10 };
}

/** Its StructViT: two detectors. */
export function tinyStructConfig(gridRank: 2 | 3): BackboneConfig {
  return tinyConfig(gridRank, structSA({ detectors: 2 }));
}

/** Normal numbers. */
export function noise(shape: readonly number[], seed = 1): tf.Tensor {
  const rng = new Rng(seed);
  return tf.tensor(
    Float32Array.from({ length: product(shape) }, () => rng.normal()),
    [...shape],
  );
}

/** Gives every weight of a model a size at which it shows in the logits: fresh ones are small, many exactly zero. */
export function stir(model: Module, seed = 2): void {
  const rng = new Rng(seed);
  for (const { variable } of model.namedParameters().values()) {
    tf.tidy(() => variable.assign(tf.add(variable, tf.mul(noise(variable.shape, rng.int(0, 1e6)), 0.2))));
  }
}

/** Reads a tensor that nobody needs any more. */
export async function take(x: tf.Tensor): Promise<Float32Array> {
  const values = (await x.data()) as Float32Array;
  x.dispose();
  return values;
}
