import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createModel } from '@saccade/backbones';
import { type ArrayBatch, type BatchReader, DataLoader, MotionDataset } from '@saccade/datasets';
import { loadMnist, readInWorkers } from '@saccade/datasets/node';
import { AdamW, tensorSteps, train } from '@saccade/engine';
import { setupBackend } from '@saccade/tensor-ops/node';
import type * as tf from '@tensorflow/tfjs-core';
import { markdownTable } from 'markdown-table';
import sharp from 'sharp';
import { createReader } from './clipFiles.ts';

// How long a training waits for its data: the demo's model and task, but each clip is 8 JPEG files that are read and decoded.
//
//   pnpm --filter @saccade/cli run bench:training
//
// The ways of loading take turns, so that what else the machine does falls on all of them; medians of the rounds.

const [ROUNDS, STEPS, BATCH, CLIPS] = [3, 12, 16, 256];
/** Steps that are not counted: kernels are compiled, files come into the cache. */
const WARM_UP = 2;
const WAYS = [
  { title: 'this thread, nothing ahead', workers: 0, prefetch: 0 },
  { title: 'this thread, 2 batches ahead', workers: 0, prefetch: 2 },
  { title: '1 worker, 2 batches ahead', workers: 1, prefetch: 2 },
  { title: '2 workers, 4 batches ahead', workers: 2, prefetch: 4 },
] as const;
/** Under tsx, workers need it too; Node 20 does not hand `--import` on. */
const EXEC_ARGV = [
  '--conditions=@saccade/source',
  '--import',
  `data:text/javascript,import { register } from "${import.meta.resolve('tsx/esm/api')}"; register();`,
];

interface Measurement {
  readonly stepMs: number;
  readonly waitMs: number;
  readonly ready: number;
}

const root = await mkdtemp(join(tmpdir(), 'saccade-clips-'));
try {
  const classes = await writeClips(root);
  await setupBackend('wasm');
  console.log(`Node ${process.version}, ${cpus()[0]?.model}, ${availableParallelism()} cores, wasm\n`);
  const measured = WAYS.map((): Measurement[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, way] of WAYS.entries()) measured[i]?.push(await measure(way, classes));
  }
  const heading = ['loading', 'step', 'of that, waiting for data', 'share', 'batches that were there'];
  const rows = WAYS.map(({ title }, i) => row(title, measured[i] as Measurement[]));
  console.log(markdownTable([heading, ...rows], { align: ['l', 'r', 'r', 'r', 'r'] }));
} finally {
  await rm(root, { recursive: true });
}

async function writeClips(folder: string): Promise<number> {
  const clips = new MotionDataset({
    digits: await loadMnist(),
    task: 'motion',
    split: 'train',
    length: CLIPS,
    seed: 1,
  });
  const [frames, height, width] = clips.shape;
  const lines: string[] = [];
  for (let index = 0; index < CLIPS; index++) {
    const { frames: pixels, label } = clips.get(index);
    await mkdir(join(folder, `${index}`));
    for (let t = 0; t < frames; t++) {
      const frame = pixels.subarray(t * height * width, (t + 1) * height * width);
      const file = sharp(frame, { raw: { width, height, channels: 1 } }).jpeg({ quality: 90 });
      await writeFile(join(folder, `${index}`, `img_${String(t + 1).padStart(5, '0')}.jpg`), await file.toBuffer());
    }
    lines.push(`${index} ${frames} ${label}`);
  }
  await writeFile(join(folder, 'list.txt'), lines.join('\n'));
  return clips.classes.length;
}

async function measure({ workers, prefetch }: (typeof WAYS)[number], classes: number): Promise<Measurement> {
  const options = { root, classes };
  const module = new URL('clipFiles.ts', import.meta.url);
  const reader: BatchReader<ArrayBatch> =
    workers === 0
      ? await createReader(options)
      : await readInWorkers<ArrayBatch>({ module, options, count: workers, execArgv: EXEC_ARGV });
  using model = createModel('structvit_pico_video', { seed: 1 });
  const optimizer = new AdamW({ lr: 1e-3, parameters: model.namedParameters() });
  const loader = new DataLoader({ reader, batchSize: BATCH, seed: 1, prefetch });
  const { statistics } = loader;
  let [began, waitMs, ready] = [0, 0, 0];
  try {
    await train({
      model,
      optimizer,
      data: tensorSteps<tf.Tensor5D>(loader),
      steps: STEPS + WARM_UP,
      onProgress({ step }) {
        if (step === WARM_UP) [began, waitMs, ready] = [performance.now(), statistics.waitMs, statistics.ready];
      },
    });
    return {
      stepMs: (performance.now() - began) / STEPS,
      waitMs: (statistics.waitMs - waitMs) / STEPS,
      ready: statistics.ready - ready,
    };
  } finally {
    optimizer.dispose();
    await loader[Symbol.asyncDispose]();
    await reader[Symbol.asyncDispose]?.();
  }
}

function row(title: string, measured: readonly Measurement[]): string[] {
  const of = (pick: (measurement: Measurement) => number) => median(measured.map(pick));
  const share = of(({ waitMs, stepMs }) => waitMs / stepMs);
  return [
    title,
    `${of(({ stepMs }) => stepMs).toFixed(0)} ms`,
    `${of(({ waitMs }) => waitMs).toFixed(1)} ms`,
    `${(100 * share).toFixed(1)} %`,
    `${of(({ ready }) => ready)} of ${STEPS}`,
  ];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
