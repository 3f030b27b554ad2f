import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createModel } from '@saccade/backbones';
import { consoleProgress, formatNumber, formatPercent } from '@saccade/command-kit';
import { AdamW, type TrainingState, train, warmupCosine } from '@saccade/engine';
import type { SavedTensor } from '@saccade/nn';
import { parseSafetensors, serializeSafetensors } from '@saccade/weights';
import type { DemoModel, TrainedModel, TrainingCurve } from './models.ts';
import { asBatches, motionClips } from './task.ts';

/** The recipe: AdamW with warm-up and cosine, as StructViT's paper trains, at the size of this task. */
export const RECIPE = {
  steps: 1000,
  batchSize: 16,
  learningRate: 3e-3,
  weightDecay: 0.05,
  warmupSteps: 50,
  clipNorm: 1,
} as const;

/** Steps between two points of the curve, and between two checkpoints. */
const [CURVE_EVERY, CHECKPOINT_EVERY] = [10, 50];

/** Options of {@link trainModel}. */
export interface TrainModelOptions {
  readonly seed: number;
  readonly steps: number;
  /** where to keep the state of an unfinished run; if there is one, the run goes on from it */
  readonly checkpoint: string;
  readonly signal: AbortSignal;
}

/**
 * Trains one model, with a progress bar. An abort stores a checkpoint and throws the signal's reason; the same call then
 * goes on where it stopped.
 */
export async function trainModel(about: DemoModel, options: TrainModelOptions): Promise<TrainedModel> {
  const { seed, steps, checkpoint, signal } = options;
  const model = createModel(about.name, { seed });
  const { learningRate: base, weightDecay, warmupSteps, batchSize, clipNorm } = RECIPE;
  const warmup = Math.min(warmupSteps, Math.floor(steps / 10));
  const optimizer = new AdamW({ lr: base, weightDecay, parameters: model.namedParameters() });
  const found = await readCheckpoint(checkpoint);
  const { curve, seconds }: RunRecord = found ?? { curve: { step: [], loss: [], accuracy: [] }, seconds: 0 };
  const begin = performance.now();
  const elapsed = () => seconds + (performance.now() - begin) / 1000;
  const recent = { loss: 0, accuracy: 0, count: 0 };
  const bar = consoleProgress({
    title: `${about.title}, seed ${seed}`,
    total: steps,
    start: Number(found?.state.metadata.get('step') ?? 0),
  });
  try {
    await train({
      model,
      optimizer,
      data: asBatches(await motionClips('train', seed)),
      batchSize,
      steps,
      seed,
      clipNorm,
      schedule: warmupCosine({ base, min: 1e-5, warmupSteps: warmup, totalSteps: steps, warmupStart: 1e-6 }),
      resume: found?.state,
      signal,
      checkpointEvery: CHECKPOINT_EVERY,
      onCheckpoint: (state) => writeCheckpoint(checkpoint, state, { curve, seconds: elapsed() }),
      onProgress: ({ step, loss, accuracy = 0 }) => {
        recent.loss += loss;
        recent.accuracy += accuracy;
        recent.count++;
        if (step % CURVE_EVERY !== 0 && step !== steps) return;
        const [meanLoss, meanAccuracy] = [recent.loss / recent.count, recent.accuracy / recent.count];
        Object.assign(recent, { loss: 0, accuracy: 0, count: 0 });
        curve.step.push(step);
        curve.loss.push(Number(meanLoss.toFixed(4)));
        curve.accuracy.push(Number(meanAccuracy.toFixed(4)));
        bar.update(step, { loss: formatNumber(meanLoss), accuracy: formatPercent(meanAccuracy) });
      },
    });
  } finally {
    bar.stop();
    optimizer.dispose();
  }
  await rm(checkpoint, { force: true });
  model.eval();
  return { about, model, seed, steps, seconds: Math.round(elapsed()), curve };
}

/** What a checkpoint holds beside the state of the run. */
interface RunRecord {
  readonly curve: TrainingCurve;
  readonly seconds: number;
}

async function writeCheckpoint(path: string, state: TrainingState<SavedTensor>, record: RunRecord): Promise<void> {
  const metadata = new Map([...state.metadata, ['record', JSON.stringify(record)]]);
  await mkdir(dirname(path), { recursive: true });
  // Another name first: an interruption must not leave half a checkpoint.
  await writeFile(`${path}.part`, serializeSafetensors(state.tensors, metadata));
  await rename(`${path}.part`, path);
}

async function readCheckpoint(path: string): Promise<(RunRecord & { state: TrainingState }) | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const file = parseSafetensors(bytes);
  const record = JSON.parse(file.metadata.get('record') ?? '{}') as RunRecord;
  return { ...record, state: { tensors: file.toStateDict(), metadata: file.metadata } };
}
