import type { MotionTask } from '@saccade/datasets';
import { AdamW, batchesInOrder, evaluate, train, warmupCosine } from '@saccade/engine';
import { type MotionBatches, trainingClips } from './clips.ts';
import { RECIPE } from './recipe.ts';
import type { Setting } from './studies.ts';

/** What one training run came to: a row of `ablation.csv`. */
export interface RunResult {
  /** id of the setting */
  readonly setting: string;
  readonly seed: number;
  readonly task: MotionTask;
  readonly steps: number;
  readonly params: number;
  /** of one clip */
  readonly macs: number;
  /** held-out clips, and how many of them were named rightly */
  readonly clips: number;
  readonly correct: number;
  /** mean training loss of the last tenth of the steps */
  readonly finalLoss: number;
  /** time of the training on the machine as busy as it was */
  readonly seconds: number;
}

/** Options of {@link runSetting}. */
export interface RunOptions {
  readonly task: MotionTask;
  /** of the weights, of the clips and of their order */
  readonly seed: number;
  readonly steps: number;
  readonly test: MotionBatches;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly step: number; readonly loss: number }) => void;
}

/**
 * Trains the network of a setting from scratch and measures it on held-out clips.
 *
 * Runs of one seed see the same clips in the same order, whatever the setting.
 *
 * @throws the signal's reason when aborted
 */
export async function runSetting(setting: Setting, options: RunOptions): Promise<RunResult> {
  const { task, seed, steps, test, signal, onProgress } = options;
  const { params, macs } = setting.cost(task);
  const model = setting.create(task, seed);
  const optimizer = new AdamW({
    lr: RECIPE.learningRate,
    weightDecay: RECIPE.weightDecay,
    parameters: model.namedParameters(),
  });
  const lastLosses: number[] = [];
  const begin = performance.now();
  try {
    await train({
      model,
      optimizer,
      data: await trainingClips(task, seed),
      batchSize: RECIPE.batchSize,
      steps,
      seed,
      clipNorm: RECIPE.clipNorm,
      schedule: warmupCosine({
        base: RECIPE.learningRate,
        min: RECIPE.minLearningRate,
        warmupSteps: Math.floor(steps * RECIPE.warmupShare),
        totalSteps: steps,
      }),
      signal,
      onProgress: ({ step, loss }) => {
        if (step > 0.9 * steps) lastLosses.push(loss);
        onProgress?.({ step, loss });
      },
    });
    const seconds = (performance.now() - begin) / 1000;
    const { predicted, labels } = await evaluate(model, batchesInOrder(test, 32), { signal });
    return {
      setting: setting.id,
      seed,
      task,
      steps,
      params,
      macs,
      clips: labels.length,
      correct: labels.reduce((count, label, i) => count + (predicted[i] === label ? 1 : 0), 0),
      finalLoss: Number((lastLosses.reduce((sum, loss) => sum + loss, 0) / lastLosses.length).toFixed(4)),
      seconds: Number(seconds.toFixed(1)),
    };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}
