import type { Dataset, Sample } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import { RandomStream } from '../random.ts';
import { checkInteger } from './checks.ts';

/** Which samples a batch is made of. */
export interface BatchRequest {
  readonly indices: readonly number[];
  /** the epoch that the batch is for, from 0 */
  readonly epoch: number;
  /** of random choices: sample i of epoch e draws from a stream that depends on (seed, e, i) alone */
  readonly seed: number;
}

/** A sample that could not be read, and what the data set's policy did about it. */
export interface SampleFailure {
  readonly index: number;
  /** its file or folder, as the annotation names it */
  readonly path: string;
  readonly message: string;
  readonly outcome: 'skipped' | 'substituted';
}

/** A batch, and what could not be read for it. */
export interface Reading<B> {
  readonly batch: B;
  /** samples in it; less than asked for where some were skipped */
  readonly samples: number;
  readonly failures: readonly SampleFailure[];
}

/**
 * Reads batches: in this thread ({@link readerOf}), or in others (`readInWorkers` of `@saccade/datasets/node`).
 *
 * The same request always gives the same batch. Several requests may be under way at a time.
 */
export interface BatchReader<B> extends Partial<AsyncDisposable> {
  /** N, samples there are */
  readonly length: number;
  /**
   * @throws DatasetError for samples that cannot be read, unless the policy of the data set gets over it; `worker`; the
   *   signal's reason
   */
  readBatch(request: BatchRequest, options?: { readonly signal?: AbortSignal | undefined }): Promise<Reading<B>>;
}

/** What a reader needs of a data set. */
export type BatchableDataset<S extends Sample> = Pick<Dataset<S>, 'length' | 'describe' | 'tryGet' | 'report'>;

/** Options of {@link readerOf}. */
export interface ReaderOptions<S, B> {
  /**
   * Makes a batch of samples; see {@link stackExamples}. Its arrays are given away: they are moved to another thread where a
   * worker reads, so they must not be parts of something that is kept.
   */
  readonly collate: (samples: readonly S[]) => B;
  /** samples of a batch that are read at a time; default 4 */
  readonly concurrency?: number | undefined;
}

/**
 * Reads batches of a data set in this thread.
 *
 * @throws DatasetError `option`; reading throws `sample` where not one sample of a batch could be read
 */
export function readerOf<S extends Sample, B>(
  dataset: BatchableDataset<S>,
  { collate, concurrency = 4 }: ReaderOptions<S, B>,
): BatchReader<B> {
  checkInteger('concurrency', concurrency, 1);
  return {
    length: dataset.length,
    async readBatch({ indices, epoch, seed }, { signal } = {}) {
      const read = await eachOf(indices, concurrency, async (index) => {
        signal?.throwIfAborted();
        // Four parts: no stream of a data set's own, which are of (seed, split, index), is drawn a second time.
        const random = new RandomStream(seed, epoch, index, 0);
        try {
          return await dataset.tryGet(index, { signal, random });
        } catch (cause) {
          signal?.throwIfAborted();
          throw cause instanceof DatasetError ? cause : unforeseen(dataset.describe(index).path, cause);
        }
      });
      const failures = indices.flatMap((index, slot) => failureOf(dataset, index, read[slot]) ?? []);
      const samples = read.filter((sample) => sample !== undefined);
      if (samples.length === 0) throw nothingLeft(indices, failures);
      return { batch: collate(samples), samples: samples.length, failures };
    },
  };
}

/** Runs work on all items, on at most `limit` at a time, and waits for what was begun before it throws. */
async function eachOf<A, R>(
  items: readonly A[],
  limit: number,
  work: (item: A) => Promise<R>,
): Promise<(R | undefined)[]> {
  const results = new Array<R | undefined>(items.length);
  let next = 0;
  let failed: { readonly error: unknown } | undefined;
  const lane = async () => {
    while (next < items.length && failed === undefined) {
      const slot = next++;
      try {
        results[slot] = await work(items[slot] as A);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failed !== undefined) throw (failed as { readonly error: unknown }).error;
  return results;
}

function failureOf<S extends Sample>(
  dataset: BatchableDataset<S>,
  index: number,
  sample: S | undefined,
): SampleFailure | undefined {
  if (sample !== undefined && sample.standsInFor === undefined) return undefined;
  const known = dataset.report.failures.findLast((failure) => failure.index === index);
  return {
    index,
    path: dataset.describe(index).path,
    message: known?.error.message ?? 'it could not be read',
    outcome: sample === undefined ? 'skipped' : 'substituted',
  };
}

/** What no data set throws on purpose, such as a mistake in a transform: with the sample at which it showed. */
function unforeseen(path: string, cause: unknown): DatasetError {
  return new DatasetError({
    code: 'sample',
    argument: path,
    expected: 'a sample that can be read and transformed',
    actual: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause),
    cause,
  });
}

function nothingLeft(indices: readonly number[], failures: readonly SampleFailure[]): DatasetError {
  const first = failures[0];
  return new DatasetError({
    code: 'sample',
    argument: `a batch of ${indices.length} samples`,
    expected: 'at least one that can be read',
    actual: first === undefined ? 'none' : `none; the first is ${first.path}: ${first.message}`,
    hint: 'Check the installation of the data set (saccade data check).',
  });
}
