import type { Batch, BatchSource } from '@saccade/engine';
import type * as tf from '@tensorflow/tfjs-core';

/** Batches as the networks take them: inputs [B, (T,) H, W, 1], normalised. */
export interface Samples extends BatchSource<tf.Tensor, Int32Array> {
  batch(indices: readonly number[]): Batch<tf.Tensor, Int32Array>;
}

/** The samples of a task. */
export interface TaskSamples {
  /** What a seed trains on: the same for every setting. */
  training(seed: number): Samples;
  /** The first `count` of what every run is measured on; no training sample is among them. */
  heldOut(count: number): Samples;
}
