import { setTimeout as sleep } from 'node:timers/promises';
import { createDataset } from '../../createDataset.ts';
import type { Dataset, Sample } from '../../dataset.ts';
import { DatasetError } from '../../errors.ts';
import type { OnError } from '../../failures.ts';
import { type BatchReader, readerOf } from '../reading.ts';
import { type ArrayBatch, stackExamples } from '../stack.ts';

/** A data set of numbers, for tests of loaders: plain data, so that workers can make the same one. */
export interface NumbersOptions {
  readonly length: number;
  readonly onError?: OnError;
  /** samples that cannot be read */
  readonly broken?: readonly number[];
  /** samples at which a transform throws */
  readonly mistaken?: readonly number[];
  /** samples at which the thread ends */
  readonly deadly?: readonly number[];
  /** samples that are never read to the end */
  readonly endless?: readonly number[];
  /** how long a sample takes, milliseconds */
  readonly slow?: number;
}

/** [1, 2, 1]: the number of the sample, and a random one. */
export interface NumberSample extends Sample {
  readonly data: Float32Array;
}

export function numbers(options: NumbersOptions): Dataset<NumberSample> {
  const { length, onError, broken = [], mistaken = [], deadly = [], endless = [], slow = 0 } = options;
  const entries = Array.from({ length }, (_, i) => ({ id: String(i), path: `numbers/${i}.txt`, label: i % 3 }));
  const index = { name: 'numbers', classes: ['a', 'b', 'c'], entries, absent: [] };
  return createDataset(
    index,
    async (entry, index, { signal, random }) => {
      if (slow > 0) await sleep(slow, undefined, { ...(signal && { signal }) });
      if (endless.includes(index)) await sleep(1e9, undefined, { ...(signal && { signal }) });
      if (deadly.includes(index)) process.exit(7);
      if (mistaken.includes(index)) throw new TypeError('no such number');
      if (broken.includes(index)) {
        throw new DatasetError({ code: 'sample', argument: entry.path, expected: 'a number', actual: 'none' });
      }
      return { ...entry, index, data: Float32Array.of(index, random?.uniform(0, 1) ?? -1) };
    },
    { ...(onError && { onError }) },
  );
}

/** What workers call; see `readInWorkers`. */
export function createReader(options: NumbersOptions): BatchReader<ArrayBatch> {
  const collate = (samples: readonly NumberSample[]) =>
    stackExamples(samples.map(({ data, label }) => ({ data, label, shape: [1, 2, 1] })));
  return readerOf(numbers(options), { collate });
}
