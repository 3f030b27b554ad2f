import { type ClipSource, MotionDataset, readBatch, type Split } from '@saccade/datasets';
import { loadMnist } from '@saccade/datasets/node';
import type { Batch, BatchSource } from '@saccade/engine';
import * as tf from '@tensorflow/tfjs-core';

/** The task of the demo: which way a handwritten digit moves, and how its speed develops; 16 classes. */
export const TASK = 'motion';

/** Seed of the held-out clips; the committed results are for the same ones. */
export const CLIP_SEED = 1;

/** Clips that training may draw; far more than it will, so that hardly any is seen twice. */
const TRAINING_CLIPS = 1_000_000;

/** Grey levels of these clips have about this mean and standard deviation, of 255. */
const [MEAN, STD] = [0.04, 0.15];

/**
 * Clips of a split; those of `test` show digits that no other split has.
 *
 * @param length default: as many as training may want
 */
export async function motionClips(split: Split, seed: number, length = TRAINING_CLIPS): Promise<MotionDataset> {
  return new MotionDataset({ digits: await loadMnist(), task: TASK, split, length, seed });
}

/** Clips as inputs of the models: [B, T, H, W, 1], normalised. */
export function asBatches(clips: ClipSource): BatchSource<tf.Tensor5D, Int32Array> {
  return {
    length: clips.length,
    batch(indices): Batch<tf.Tensor5D, Int32Array> {
      const { frames, labels, shape } = readBatch(clips, indices);
      const values = new Float32Array(frames.length);
      for (let i = 0; i < values.length; i++) values[i] = ((frames[i] as number) / 255 - MEAN) / STD;
      return { inputs: tf.tensor5d(values, [...shape, 1]), labels };
    },
  };
}
