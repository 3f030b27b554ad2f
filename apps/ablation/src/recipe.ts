import type { VisionTransformerConfig } from '@saccade/backbones';
import { isMotionTask, type StudyTask } from './tasks.ts';

/**
 * What all settings have in common. Fixed before any two settings of the study were compared: see the README.
 *
 * The optimiser is the demo's (AdamW, warm-up and cosine); the steps are what a processor can do for 70 runs in about an
 * hour, and end while accuracies still rise, so that settings can differ.
 */
export const RECIPE = {
  learningRate: 3e-3,
  minLearningRate: 1e-5,
  weightDecay: 0.05,
  warmupShare: 0.1,
  clipNorm: 1,
  testClipSeed: 1,
} as const;

/** Samples of a training step: clips are many tokens each, and pictures few. */
export function batchSizeOf(task: StudyTask): number {
  return isMotionTask(task) ? 8 : 32;
}

/** Seeds of each setting, unless the command line says otherwise. */
export const DEFAULT_SEEDS = 5;

/** Training steps of a run, and held-out samples on which it is measured, unless the command line says otherwise. */
export function defaultsOf(task: StudyTask): { readonly steps: number; readonly samples: number } {
  return { steps: 1000, samples: isMotionTask(task) ? 1600 : 10_000 };
}

/**
 * The network that all settings change in one thing: DeiT's plan, without class token, at pico size. Clips of 8 frames of
 * 32x32 pixels are cut into tubelets of 2x8x8: 4x4x4 tokens.
 */
export const PICO = {
  gridRank: 3,
  inputSize: [8, 32, 32],
  inChannels: 1,
  patch: { kernel: [2, 8, 8], temporalStride: 2 },
  dim: 32,
  headDim: 16,
  depth: 2,
  mlpRatio: 2,
} as const satisfies VisionTransformerConfig;

/** The same for pictures of 28x28 pixels: patches of 4x4, 7x7 tokens. */
export const PICO_PICTURES = {
  gridRank: 2,
  inputSize: [28, 28],
  inChannels: 1,
  patch: { kernel: [4, 4] },
  dim: 32,
  headDim: 16,
  depth: 2,
  mlpRatio: 2,
} as const satisfies VisionTransformerConfig;
