// The main job: `pnpm demo` evaluates the two shipped models on held-out clips and writes a report; `--train` trains first.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  abortOnInterrupt,
  formatBytes,
  formatCompact,
  formatNumber,
  formatPercent,
  Interrupted,
  integerAtLeast,
  textTable,
} from '@saccade/command-kit';
import { DatasetError } from '@saccade/datasets';
import { SaccadeError } from '@saccade/tensor-ops';
import { type BackendName, setupBackend } from '@saccade/tensor-ops/node';
import { SafetensorsError } from '@saccade/weights';
import { Command, Option } from 'commander';
import { buildReport, type MeasuredModel } from './buildReport.ts';
import { measure } from './measure.ts';
import { DEMO_MODELS, type DemoModel, loadTrained, saveTrained, shippedWeights, type TrainedModel } from './models.ts';
import type { Proportion } from './report/types.ts';
import { writeReport } from './report/writeReport.ts';
import { committedSeeds } from './seedResults.ts';
import { CLIP_SEED, motionClips } from './task.ts';
import { RECIPE, trainModel } from './training.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface DemoOptions {
  readonly train: boolean;
  readonly seed: number;
  readonly steps: number;
  readonly clips: number;
  readonly backend: BackendName;
  readonly report: string;
}

const program = new Command('demo')
  .description('Shows a StructViT reading motion beside its plain-attention twin, and writes an HTML report.')
  .option('--train', 'train both models from scratch first; interrupt with Ctrl-C, run again to go on', false)
  .option('--seed <n>', 'seed of the training', integerAtLeast(0), 0)
  .option('--steps <n>', 'training steps of each model', integerAtLeast(1), RECIPE.steps)
  .option('--clips <n>', 'held-out clips to evaluate on', integerAtLeast(16), 1600)
  .addOption(new Option('--backend <name>', 'TensorFlow.js backend').choices(['wasm', 'webgpu', 'cpu']).default('wasm'))
  .option('--report <file>', 'where to write the report', resolve(ROOT, 'reports/demo.html'));

async function demo(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const backend = await setupBackend(options.backend);
  const clips = await motionClips('test', CLIP_SEED, options.clips);
  const measured: MeasuredModel[] = [];
  for (const about of DEMO_MODELS) {
    const trained = options.train
      ? await trainedNow(about, options, signal)
      : await loadTrained(about, shippedWeights(about));
    const measurement = await measure(trained, clips, signal);
    // The committed table is about the shipped recipe; a run of one's own stands alone.
    measured.push({ trained, measurement, seeds: options.train ? [] : await committedSeeds(about.name) });
  }
  const models = measured as [MeasuredModel, MeasuredModel];
  const html = writeReport(await buildReport(models, clips, backend));
  const file = resolve(process.env.INIT_CWD ?? '.', options.report);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, html);
  console.log(`\n${summary(models)}\n\nReport: ${file}`);
}

async function trainedNow(about: DemoModel, { seed, steps }: DemoOptions, signal: AbortSignal): Promise<TrainedModel> {
  const place = resolve(ROOT, '.cache/demo', `${about.name}-${steps}-seed${seed}`);
  const trained = await trainModel(about, { seed, steps, checkpoint: `${place}.checkpoint.safetensors`, signal });
  await saveTrained(`${place}.safetensors`, trained);
  return trained;
}

function summary(models: readonly MeasuredModel[]): string {
  const share = ({ correct, total }: Proportion) => formatPercent(correct / total);
  return textTable(
    ['', ...models.map(({ trained }) => trained.about.title)],
    [
      ['accuracy', ...models.map(({ measurement }) => formatPercent(measurement.forwards.accuracy))],
      [
        'played backwards, label as shown',
        ...models.map(({ measurement }) => formatPercent(measurement.backwards.accuracy)),
      ],
      ['played backwards, label as filmed', ...models.map(({ measurement }) => share(measurement.backwardsAsFilmed))],
      ['frames shuffled', ...models.map(({ measurement }) => formatPercent(measurement.shuffled.accuracy))],
      ['parameters', ...models.map(({ trained }) => formatCompact(trained.model.parameterCount()))],
      ['clips per second', ...models.map(({ measurement }) => formatNumber(measurement.clipsPerSecond))],
      ['peak tensor memory', ...models.map(({ measurement }) => formatBytes(measurement.peakBytes))],
    ],
  );
}

function report(error: unknown): number {
  if (error instanceof Interrupted) {
    console.error('\nStopped. A training that had begun is stored; the same command goes on with it.');
    return 130;
  }
  // What is meant for the person at the terminal comes without a stack.
  const meant = [SaccadeError, DatasetError, SafetensorsError].some((kind) => error instanceof kind);
  console.error(meant ? (error as Error).message : error);
  return 1;
}

try {
  await demo(program.parse().opts<DemoOptions>(), abortOnInterrupt());
} catch (error) {
  process.exitCode = report(error);
}
