import { MotionDataset, type MotionTask, readBatch, type Split } from '@saccade/datasets';
import { loadMnist } from '@saccade/datasets/node';
import type { Batch, BatchSource } from '@saccade/engine';
import * as tf from '@tensorflow/tfjs-core';
import { RECIPE } from './recipe.ts';

/** Clips that a run may draw from; more than it will, so that hardly any is seen twice. */
const TRAINING_CLIPS = 100_000;

/** Grey levels of these clips have about this mean and standard deviation, of 255. */
const [MEAN, STD] = [0.04, 0.15];

/** Batches of clips as the networks take them: inputs [B, T, H, W, 1], normalised. */
export type MotionBatches = BatchSource<tf.Tensor5D, Int32Array>;

/** The clips that a seed trains on: the same ones for every setting. */
export function trainingClips(task: MotionTask, seed: number): Promise<MotionBatches> {
  return motionClips(task, 'train', TRAINING_CLIPS, seed);
}

/** The clips that every run is measured on, of digits that no training clip shows. */
export function testClips(task: MotionTask, length: number): Promise<MotionBatches> {
  return motionClips(task, 'test', length, RECIPE.testClipSeed);
}

async function motionClips(task: MotionTask, split: Split, length: number, seed: number): Promise<MotionBatches> {
  const clips = new MotionDataset({ digits: await loadMnist(), task, split, length, seed });
  return {
    length,
    batch(indices): Batch<tf.Tensor5D, Int32Array> {
      const { frames, labels, shape } = readBatch(clips, indices);
      const values = Float32Array.from(frames, (grey) => (grey / 255 - MEAN) / STD);
      return { inputs: tf.tensor5d(values, [...shape, 1]), labels };
    },
  };
}
