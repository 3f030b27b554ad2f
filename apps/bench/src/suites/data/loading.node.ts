import { createModel } from '@saccade/backbones';
import { type ArrayBatch, type BatchReader, DataLoader, type DigitSet } from '@saccade/datasets';
import { loadMnist, readInWorkers } from '@saccade/datasets/node';
import { AdamW, tensorSteps, train } from '@saccade/engine';
import type * as tf from '@tensorflow/tfjs-core';
import { compareValues } from '../../core/check.ts';
import type { Bench, Comparison, Contender, OwnTiming } from '../../core/comparison.ts';
import { preparing, type Undo } from '../../external/prepared.ts';
import { TYPESCRIPT } from '../../external/typescriptWorker.node.ts';
import { workFolder } from '../../external/workFolder.node.ts';
import { type ClipFiles, createReader } from './clipFiles.ts';
import { writeClips } from './clips.node.ts';

/** A way to load batches. */
export interface Way {
  readonly name: string;
  /** threads that read; 0: this one */
  readonly workers: number;
  /** batches that are read ahead */
  readonly ahead: number;
}

export const WAYS = {
  nothingAhead: { name: 'this thread, nothing ahead', workers: 0, ahead: 0 },
  ahead: { name: 'this thread, 2 batches ahead', workers: 0, ahead: 2 },
  oneWorker: { name: '1 worker, 2 batches ahead', workers: 1, ahead: 2 },
  twoWorkers: { name: '2 workers, 4 batches ahead', workers: 2, ahead: 4 },
} as const satisfies Record<string, Way>;

export interface LoadingTask {
  readonly ways: readonly Way[];
  readonly clips: number;
  /** clips of a batch */
  readonly batch: number;
  /** steps of training that make one sample */
  readonly steps: number;
  /** default: MNIST */
  readonly digits?: DigitSet;
}

/**
 * How long a training waits for its data: the demo's model and task on wasm, but each clip is 8 JPEG files that are read and
 * decoded. A time is that of one step, `waitShare` the part of it that was spent waiting for the batch.
 */
export function loadingComparison({ ways, clips, batch, steps, digits }: LoadingTask): Comparison {
  return {
    suite: 'data',
    id: 'loading/clips',
    parameters: { model: MODEL, batch, steps },
    prepare: (bench) =>
      preparing(async (undo) => {
        const folder = await workFolder(undo);
        const files = await writeClips(folder.path('clips'), digits ?? (await loadMnist()), clips);
        const expected = await someBatches(await createReader(files), batch);
        const contenders: Contender[] = [];
        for (const way of ways) contenders.push(await contender(bench, way, { files, batch, steps, expected }, undo));
        return { contenders, baseline: WAYS.nothingAhead.name };
      }),
  };
}

const MODEL = 'structvit_pico_video';
const SEED = 1;

interface Setting {
  readonly files: ClipFiles;
  readonly batch: number;
  readonly steps: number;
  /** the batches that every way must give */
  readonly expected: readonly ArrayLike<number>[];
}

async function contender(
  { now }: Bench,
  { name, workers, ahead }: Way,
  { files, batch, steps, expected }: Setting,
  undo: Undo,
): Promise<Contender> {
  const reader = await readerOfWay(files, workers);
  undo.push(async () => reader[Symbol.asyncDispose]?.());
  const model = createModel(MODEL, { seed: SEED });
  undo.push(() => model.dispose());
  const optimizer = new AdamW({ lr: 1e-3, parameters: model.namedParameters() });
  undo.push(() => optimizer.dispose());
  const loader = new DataLoader({ reader, batchSize: batch, seed: SEED, prefetch: ahead });
  undo.push(() => loader[Symbol.asyncDispose]());
  const source = tensorSteps<tf.Tensor5D>(loader);
  // Between two samples others take their turn, and what is read ahead is there afterwards: that many steps do not count.
  const uncounted = Math.max(ahead, 1);
  let done = 0;
  return {
    name,
    role: 'saccade',
    async run(): Promise<OwnTiming> {
      const first = done;
      done += uncounted + steps;
      let [began, waited] = [0, 0];
      await train({
        model,
        optimizer,
        // The loader's steps go on, and so does its reading ahead, which knows of no end.
        data: { ...source, at: (step) => source.at(first + step, { end: Number.POSITIVE_INFINITY }) },
        steps: uncounted + steps,
        onProgress({ step }) {
          if (step === uncounted) [began, waited] = [now(), loader.statistics.waitMs];
        },
      });
      const [stepMs, waitMs] = [(now() - began) / steps, (loader.statistics.waitMs - waited) / steps];
      return { wallMs: stepMs, quantities: { waitMs, waitShare: waitMs / stepMs } };
    },
    async check() {
      return compareValues('batches read one by one in this thread', await someBatches(reader, batch), expected, 0);
    },
  };
}

async function readerOfWay(files: ClipFiles, workers: number): Promise<BatchReader<ArrayBatch>> {
  if (workers === 0) return await createReader(files);
  const module = new URL('clipFiles.ts', import.meta.url);
  return await readInWorkers<ArrayBatch>({ module, options: files, count: workers, execArgv: TYPESCRIPT });
}

/** The numbers and labels of the first batches. */
async function someBatches(reader: BatchReader<ArrayBatch>, batchSize: number): Promise<ArrayLike<number>[]> {
  await using loader = new DataLoader({ reader, batchSize, seed: SEED, prefetch: 0 });
  const batches = [await loader.at(0), await loader.at(1)];
  return batches.flatMap(({ data, labels }) => [data, labels]);
}
