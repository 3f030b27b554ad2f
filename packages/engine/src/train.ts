import type { SavedTensor } from '@saccade/nn';
import { assertInteger, ConfigError, sizeAt } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type Batch, type BatchSource, type StepSource, stepsOf } from './data.ts';
import { DivergedError } from './errors.ts';
import type { Classifier } from './evaluate.ts';
import { clipGradients, valueAndGradients } from './gradients.ts';
import { crossEntropy, type Labels } from './losses.ts';
import { accuracy, predictions } from './metrics.ts';
import type { Optimizer } from './optimizer.ts';
import { pause } from './pause.ts';
import type { Schedule } from './schedules.ts';
import { captureState, restoreState, type TrainingState } from './state.ts';

/** Options of {@link train}. */
export interface TrainOptions<X extends tf.Tensor> {
  readonly model: Classifier<X>;
  readonly optimizer: Optimizer;
  /** samples, of which the run makes batches in its own order; or batches by the number of their step */
  readonly data: BatchSource<X> | StepSource<X>;
  /** for samples */
  readonly batchSize?: number;
  /** steps in all, those before a resumption included */
  readonly steps: number;
  /** of the order of the samples; default 0, or that of the steps */
  readonly seed?: number;
  /** sets the optimiser's learning rate before each step; default: it is left as it is */
  readonly schedule?: Schedule;
  /** default: cross-entropy without smoothing */
  readonly loss?: (logits: tf.Tensor2D, labels: Labels) => tf.Scalar;
  /** longest gradient; default: no limit */
  readonly clipNorm?: number;
  /** Where to go on. Its seed must be that of this run. */
  readonly resume?: TrainingState | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each step. */
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  /** Stores a state; called every `checkpointEvery` steps, after the last one, and when aborted. It is waited for. */
  readonly onCheckpoint?: ((state: TrainingState<SavedTensor>) => void | Promise<void>) | undefined;
  /** default: after the last step only */
  readonly checkpointEvery?: number;
}

/** What a step did, and how far the run is. */
export interface TrainingProgress {
  /** steps done, this one included */
  readonly step: number;
  readonly steps: number;
  /** epoch of this step, from 0 */
  readonly epoch: number;
  /** of this step's batch, before its update */
  readonly loss: number;
  /** share of this step's batch that was right before its update; undefined where labels are distributions */
  readonly accuracy: number | undefined;
  readonly learningRate: number;
  /** what the remaining steps will take at the mean pace of this run, in milliseconds */
  readonly remainingMs: number;
}

/**
 * Trains a classifier for a number of steps, in training mode.
 *
 * The batch of step s depends on (seed, s) alone, so that a run that stopped and was resumed from a checkpoint ends with
 * the weights of one that never stopped (to the bit on cpu and wasm; layers that draw random numbers of their own, such
 * as DropPath, begin their sequence anew). Other tasks of the program have a turn after each step, which is when `signal`
 * is looked at: an abort stores a checkpoint and then throws.
 *
 * @returns the progress of the last step; undefined if there was nothing left to do
 * @throws the signal's reason when aborted; DivergedError if the loss is not finite; ConfigError, StateDictError for a
 *   state of another run or model
 */
export async function train<X extends tf.Tensor>(options: TrainOptions<X>): Promise<TrainingProgress | undefined> {
  const { model, optimizer, steps, signal, onProgress, onCheckpoint } = options;
  const { checkpointEvery = Number.POSITIVE_INFINITY } = options;
  assertInteger('steps', steps, 1);
  if (!(checkpointEvery >= 1)) throw new ConfigError('checkpointEvery', 'a number of steps >= 1', checkpointEvery);
  const data = stepsOf(options.data, options);
  const { seed } = data;
  const first = options.resume ? resumed(options.resume, options, seed) : 0;
  const begin = performance.now();
  let progress: TrainingProgress | undefined;
  let stored = first;
  const store = async (step: number) => {
    if (!onCheckpoint || stored === step) return;
    await onCheckpoint(await captureState(model, optimizer, { step, seed }));
    stored = step;
  };
  const batchOf = async (step: number) => {
    try {
      return await data.at(step, { signal, end: steps });
    } catch (error) {
      if (signal?.aborted) await store(step);
      throw error;
    }
  };

  model.train();
  for (let step = first; step < steps; step++) {
    if (signal?.aborted) {
      await store(step);
      throw signal.reason;
    }
    const result = await trainStep(options, await batchOf(step), step);
    const done = step + 1;
    const remainingMs = ((performance.now() - begin) / (done - first)) * (steps - done);
    progress = { step: done, steps, epoch: data.epochOf(step), ...result, learningRate: optimizer.lr, remainingMs };
    onProgress?.(progress);
    if (done % checkpointEvery === 0 || done === steps) await store(done);
    await pause();
  }
  return progress;
}

function resumed<X extends tf.Tensor>(
  state: TrainingState,
  { model, optimizer }: TrainOptions<X>,
  seed: number,
): number {
  const saved = state.metadata.get('seed');
  if (saved !== String(seed)) {
    throw new ConfigError('seed', `${saved}, the seed of the run that is resumed`, seed);
  }
  return restoreState(state, model, optimizer).step;
}

async function trainStep<X extends tf.Tensor>(
  { model, optimizer, schedule, loss = crossEntropy, clipNorm }: TrainOptions<X>,
  { inputs, labels }: Batch<X>,
  step: number,
): Promise<Pick<TrainingProgress, 'loss' | 'accuracy'>> {
  if (schedule) optimizer.lr = schedule(step);
  let logits: tf.Tensor2D | undefined;
  const owned: tf.Tensor[] = [inputs];
  if (labels instanceof tf.Tensor) owned.push(labels);
  try {
    const { value, gradients } = valueAndGradients(model, () => {
      logits = tf.keep(model.forward(inputs));
      return loss(logits, labels);
    });
    owned.push(value, ...gradients.values());
    const [lossValue] = await value.data();
    // Before the update, so that the weights stay those of the last good step.
    if (!Number.isFinite(lossValue)) throw new DivergedError(step, lossValue as number);
    if (clipNorm === undefined) {
      optimizer.step(gradients);
    } else {
      const clipped = clipGradients(gradients, clipNorm);
      owned.push(clipped.norm, ...clipped.gradients.values());
      optimizer.step(clipped.gradients);
    }
    model.afterStep({ learningRate: optimizer.lr });
    return { loss: lossValue as number, accuracy: await accuracyOf(logits as unknown as tf.Tensor2D, labels) };
  } finally {
    tf.dispose(owned);
    logits?.dispose();
  }
}

async function accuracyOf(logits: tf.Tensor2D, labels: Labels): Promise<number | undefined> {
  if (labels instanceof tf.Tensor) return undefined;
  return accuracy(predictions(await logits.data(), sizeAt(logits.shape, 1)), labels);
}
