import { consoleProgress, formatPercent } from '@saccade/command-kit';
import { type MotionDataset, mapClips, reverse, shuffleFrames } from '@saccade/datasets';
import { batchesInOrder, type Evaluation, evaluate } from '@saccade/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { TrainedModel } from './models.ts';
import type { Proportion } from './report/types.ts';
import { asBatches } from './task.ts';

const BATCH = 32;

/** What a model does on held-out clips. */
export interface Measurement {
  readonly forwards: Evaluation;
  /** the clips played backwards, with the labels that they then show */
  readonly backwards: Evaluation;
  /** predictions for the clips played backwards, counted against the labels they had forwards */
  readonly backwardsAsFilmed: Proportion;
  readonly shuffled: Evaluation;
  readonly clipsPerSecond: number;
  /** most bytes of tensors at once in a forward pass of one batch, weights included */
  readonly peakBytes: number;
}

/** Evaluates a model on `clips` as they are, backwards, and with their frames shuffled. */
export async function measure({ about, model }: TrainedModel, clips: MotionDataset, signal: AbortSignal) {
  const run = async (title: string, source: Parameters<typeof asBatches>[0]) => {
    const bar = consoleProgress({ title: `${about.title}: ${title}`, total: source.length });
    try {
      return await evaluate(model, batchesInOrder(asBatches(source), BATCH), {
        signal,
        onProgress: ({ samples, accuracy }) => bar.update(samples, { accuracy: formatPercent(accuracy) }),
      });
    } finally {
      bar.stop();
    }
  };
  const peakBytes = await peakForwardBytes(model, clips);
  const begin = performance.now();
  const forwards = await run('clips as filmed', clips);
  const clipsPerSecond = (1000 * clips.length) / (performance.now() - begin);
  const backwards = await run('played backwards', mapClips(clips, reverse));
  const shuffled = await run(
    'frames shuffled',
    mapClips(clips, (clip, index) => shuffleFrames(clip, index)),
  );
  const measurement: Measurement = {
    forwards,
    backwards,
    backwardsAsFilmed: proportion(backwards.predicted, forwards.labels),
    shuffled,
    clipsPerSecond,
    peakBytes,
  };
  return measurement;
}

/** How many predictions are the labels. */
export function proportion(predicted: ArrayLike<number>, labels: ArrayLike<number>): Proportion {
  let correct = 0;
  for (let i = 0; i < labels.length; i++) if (predicted[i] === labels[i]) correct++;
  return { correct, total: labels.length };
}

async function peakForwardBytes(model: TrainedModel['model'], clips: MotionDataset): Promise<number> {
  const indices = Array.from({ length: BATCH }, (_, i) => i);
  const { inputs } = await asBatches(clips).batch(indices);
  const { result, peakBytes } = await tf.profile(() => model.forward(inputs));
  tf.dispose([inputs, result]);
  return peakBytes;
}
