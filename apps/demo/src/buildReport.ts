import { cpus } from 'node:os';
import { modelInfo } from '@saccade/backbones';
import { formatBytes } from '@saccade/command-kit';
import { type MotionDataset, orderBlindCeiling } from '@saccade/datasets';
import type { BackendInfo } from '@saccade/tensor-ops/node';
import { gallery } from './gallery.ts';
import { type Measurement, proportion } from './measure.ts';
import type { TrainedModel } from './models.ts';
import type { DemoReport, ModelReport, SeedResult } from './report/types.ts';
import { TASK } from './task.ts';
import { RECIPE } from './training.ts';

/** A model with what was measured of it, and the results of other seeds where they are known. */
export interface MeasuredModel {
  readonly trained: TrainedModel;
  readonly measurement: Measurement;
  readonly seeds: readonly SeedResult[];
}

/** Puts together everything that the report shows. */
export async function buildReport(
  models: readonly [MeasuredModel, MeasuredModel],
  clips: MotionDataset,
  backend: BackendInfo,
): Promise<DemoReport> {
  const [structured, twin] = models;
  return {
    title: 'A StructViT reads motion',
    task: {
      name: `Motion of a handwritten digit, ${clips.classes.length} classes`,
      description: [
        'A real handwritten digit moves over a canvas whose opposite edges are joined. Its start, the digit and its speed are random, so no single frame, border or mean image tells the class: only motion does.',
        'The models name the direction (left, right, up, down) and how the speed develops (constant, accelerating, decelerating, there and back). The digits shown here were never seen in training.',
      ],
      classes: clips.classes,
      orderBlindCeiling: orderBlindCeiling(TASK, clips.shape[0]),
    },
    models: [modelReport(structured), modelReport(twin)],
    gallery: await gallery(clips, [structured.measurement.forwards, twin.measurement.forwards], structured.trained),
    environment: [
      ['Backend', backend.name],
      ['Node', process.version],
      ['Processor', cpus()[0]?.model ?? 'unknown'],
      ['Peak memory of the process', formatBytes(process.resourceUsage().maxRSS * 1024)],
      ['Date', new Date().toISOString().slice(0, 10)],
    ],
    method: [
      `Both models were trained alike: AdamW, ${structured.trained.steps} steps of ${RECIPE.batchSize} clips, the same clips in the same order (seed ${structured.trained.seed}). They differ in their attention alone.`,
      `All figures of this page were measured in this run, on ${clips.length} held-out clips of held-out digits; the table of seeds, where there is one, is from the committed file apps/demo/results/seeds.json.`,
      'Played backwards, a clip is counted once against the class it then shows and once against the class it was filmed as; with its frames shuffled, against the class it had in order.',
    ],
    limits: [
      'Small networks on a constructed task: this shows that the operator works and what it costs, not how it does on real video.',
      'The twin has fewer parameters; it is the same network without the detectors, not a network of the same capacity.',
      'Both networks also have depthwise convolutions over time (position embedding), through which the twin reads motion too.',
    ],
    commands: ['npx --yes pnpm@10 demo', 'npx --yes pnpm@10 demo --train'],
  };
}

function modelReport({ trained, measurement, seeds }: MeasuredModel): ModelReport {
  const { about, steps, seconds, curve } = trained;
  const { forwards, backwards, backwardsAsFilmed, shuffled, clipsPerSecond, peakBytes } = measurement;
  const { params, macs } = modelInfo(about.name);
  return {
    name: about.title,
    summary: about.summary,
    parameters: params,
    macs,
    clipsPerSecond,
    peakMemoryBytes: peakBytes,
    confusion: Uint32Array.from(forwards.confusion.rows().flat()),
    backwards: { asShown: proportion(backwards.predicted, backwards.labels), asFilmed: backwardsAsFilmed },
    shuffled: proportion(shuffled.predicted, shuffled.labels),
    training: {
      steps,
      seconds,
      loss: { step: curve.step, value: curve.loss },
      accuracy: { step: curve.step, value: curve.accuracy },
    },
    ...(seeds.length > 0 ? { seeds } : {}),
  };
}
