import { MotionDataset, type MotionTask, readBatch, type Split } from '@saccade/datasets';
import { loadMnist } from '@saccade/datasets/node';
import * as tf from '@tensorflow/tfjs-core';
import { RECIPE } from './recipe.ts';
import type { Samples, TaskSamples } from './taskSamples.ts';

/** Clips that a run may draw from; more than it will, so that hardly any is seen twice. */
const TRAINING_CLIPS = 100_000;

/** Grey levels of these clips have about this mean and standard deviation, of 255. */
const [MEAN, STD] = [0.04, 0.15];

/** Clips [B, T, H, W, 1] of a motion task; held-out clips show digits that no training clip shows. */
export async function motionSamples(task: MotionTask): Promise<TaskSamples> {
  const digits = await loadMnist();
  const clips = (split: Split, length: number, seed: number): Samples => {
    const dataset = new MotionDataset({ digits, task, split, length, seed });
    return {
      length,
      batch(indices) {
        const { frames, labels, shape } = readBatch(dataset, indices);
        const values = Float32Array.from(frames, (grey) => (grey / 255 - MEAN) / STD);
        return { inputs: tf.tensor5d(values, [...shape, 1]), labels };
      },
    };
  };
  return {
    training: (seed) => clips('train', TRAINING_CLIPS, seed),
    heldOut: (count) => clips('test', count, RECIPE.testClipSeed),
  };
}
