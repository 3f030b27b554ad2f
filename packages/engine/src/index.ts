export { AdamW, type AdamWOptions } from './AdamW.ts';
export { type ArraySteps, tensorSteps } from './arraySteps.ts';
export { type Batch, type BatchSource, batchesInOrder, batchesOfSteps, EpochOrder, type StepSource } from './data.ts';
export { DivergedError } from './errors.ts';
export {
  type Classifier,
  type EvaluateOptions,
  type Evaluation,
  type EvaluationProgress,
  evaluate,
} from './evaluate.ts';
export {
  type ClippedGradients,
  clipGradients,
  type Gradients,
  gradientNorm,
  type ValueAndGradients,
  valueAndGradients,
} from './gradients.ts';
export { type CrossEntropyOptions, crossEntropy, type Labels } from './losses.ts';
export { accuracy, ConfusionMatrix, predictions } from './metrics.ts';
export type { Optimizer } from './optimizer.ts';
export { type Multipliers, SGD, type SGDOptions } from './SGD.ts';
export { type NetworkGroupOptions, networkGroups } from './SGDGroups.ts';
export { type Schedule, type WarmupCosineOptions, warmupCosine } from './schedules.ts';
export { captureState, restoreState, type TrainingPosition, type TrainingState } from './state.ts';
export { type StepDecayOptions, stepDecay } from './stepDecay.ts';
export { type TrainingProgress, type TrainOptions, train } from './train.ts';
