import { AdamW, batchesInOrder, evaluate, train, warmupCosine } from '@saccade/engine';
import { type Probe, probeAt } from './probes.ts';
import { batchSizeOf, RECIPE } from './recipe.ts';
import type { Setting } from './studies.ts';
import type { TaskSamples } from './taskSamples.ts';
import type { StudyTask } from './tasks.ts';

/** What one training run came to: a row of `ablation.csv`. */
export interface RunResult {
  /** id of the setting */
  readonly setting: string;
  readonly seed: number;
  readonly task: StudyTask;
  readonly steps: number;
  readonly params: number;
  /** of one sample */
  readonly macs: number;
  /** held-out samples, and how many of them were named rightly */
  readonly samples: number;
  readonly correct: number;
  /** mean training loss of the last tenth of the steps */
  readonly finalLoss: number;
  /** time of the training on the machine as busy as it was */
  readonly seconds: number;
}

/** Options of {@link runSetting}. */
export interface RunOptions {
  readonly task: StudyTask;
  /** of the weights, of the clips where they are constructed, and of the order of the samples */
  readonly seed: number;
  readonly steps: number;
  /** held-out samples on which it is measured */
  readonly samples: number;
  readonly data: TaskSamples;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly step: number; readonly loss: number }) => void;
  /** Takes what the setting's probe saw, at the beginning and after every twentieth of the steps. */
  readonly onProbe?: (probe: Probe) => void;
}

/**
 * Trains the network of a setting from scratch and measures it on held-out samples.
 *
 * Runs of one seed see the same samples in the same order, whatever the setting.
 *
 * @throws the signal's reason when aborted
 */
export async function runSetting(setting: Setting, options: RunOptions): Promise<RunResult> {
  const { task, seed, steps, samples, data, signal, onProgress, onProbe } = options;
  const { params, macs } = setting.cost(task);
  const model = setting.create(task, seed);
  const optimizer = new AdamW({
    lr: RECIPE.learningRate,
    weightDecay: RECIPE.weightDecay,
    parameters: model.namedParameters(),
  });
  const lastLosses: number[] = [];
  const heldOut = data.heldOut(samples);
  const probe = (step: number) => probeAt(step, { setting, seed, steps, model, heldOut }, onProbe);
  const begin = performance.now();
  try {
    probe(0);
    await train({
      model,
      optimizer,
      data: data.training(seed),
      batchSize: batchSizeOf(task),
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
        probe(step);
      },
    });
    const seconds = (performance.now() - begin) / 1000;
    const { predicted, labels } = await evaluate(model, batchesInOrder(heldOut, 32), { signal });
    return {
      setting: setting.id,
      seed,
      task,
      steps,
      params,
      macs,
      samples: labels.length,
      correct: labels.reduce((count, label, i) => count + (predicted[i] === label ? 1 : 0), 0),
      finalLoss: Number((lastLosses.reduce((sum, loss) => sum + loss, 0) / lastLosses.length).toFixed(4)),
      seconds: Number(seconds.toFixed(1)),
    };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}
