import type { Dataset, GetOptions, Sample, SampleInfo } from './dataset.ts';
import { DatasetError } from './errors.ts';
import { FailureReport, isUnreadable, type OnError } from './failures.ts';

/** What an annotation says: the classes and the samples, in its order. Nothing of it was decoded. */
export interface SampleIndex<E extends SampleInfo = SampleInfo> {
  /** for messages, such as `ImageNet val` */
  readonly name: string;
  readonly classes: readonly string[];
  readonly entries: readonly E[];
  /** samples that the annotation names and whose files are not there; empty where nobody has looked */
  readonly absent: readonly SampleInfo[];
}

/** What a data set does with samples that cannot be read. */
export interface FailurePolicy {
  /** default `throw` */
  readonly onError?: OnError | undefined;
  /** how many other samples `substitute` tries before it gives up; default 10 */
  readonly attempts?: number | undefined;
}

/**
 * A data set over an index.
 *
 * @param read reads one sample; it reports unreadable files as DatasetError `missing` or `sample` (`readingSample`), to which
 *   the policy applies, and whatever else it throws is thrown
 * @throws DatasetError `option` for a policy that is none; `labels` for an entry whose label is no class
 */
export function createDataset<E extends SampleInfo, S extends Sample>(
  { name, classes, entries }: SampleIndex<E>,
  read: (entry: E, index: number, options: GetOptions) => Promise<S>,
  { onError = 'throw', attempts = 10 }: FailurePolicy = {},
): Dataset<S> {
  checkPolicy(onError, attempts);
  for (const entry of entries) checkLabel(entry, classes.length);
  const report = new FailureReport();

  const describe = (index: number): E => {
    const entry = entries[index];
    if (entry === undefined) {
      throw new DatasetError({
        code: 'index',
        argument: 'index',
        expected:
          entries.length === 0 ? 'no number: the data set is empty' : `an integer from 0 to ${entries.length - 1}`,
        actual: String(index),
      });
    }
    return entry;
  };
  const readOnce = async (index: number, options: GetOptions): Promise<S> => {
    const info = describe(index);
    options.signal?.throwIfAborted();
    try {
      return await read(info, index, options);
    } catch (error) {
      if (isUnreadable(error)) report.failed({ index, info, error });
      throw error;
    }
  };
  const get = async (index: number, options: GetOptions = {}): Promise<S> => {
    try {
      return await readOnce(index, options);
    } catch (error) {
      if (onError !== 'substitute' || !isUnreadable(error)) throw error;
      for (const other of standIns(index, entries.length, attempts, options)) {
        try {
          const sample = await readOnce(other, options);
          report.settled('substituted');
          return { ...sample, standsInFor: index };
        } catch (second) {
          if (!isUnreadable(second)) throw second;
        }
      }
      throw error;
    }
  };
  const tryGet = async (index: number, options?: GetOptions): Promise<S | undefined> => {
    try {
      return await get(index, options);
    } catch (error) {
      if (onError !== 'skip' || !isUnreadable(error)) throw error;
      report.settled('skipped');
      return undefined;
    }
  };
  async function* samples(options?: GetOptions): AsyncGenerator<S, void, undefined> {
    for (let index = 0; index < entries.length; index++) {
      const sample = await tryGet(index, options);
      if (sample !== undefined) yield sample;
    }
  }
  return {
    name,
    length: entries.length,
    classes,
    onError,
    report,
    describe,
    get,
    tryGet,
    samples,
    [Symbol.asyncIterator]: () => samples(),
  };
}

/** Random other samples where there is randomness, else those that follow. */
function* standIns(index: number, count: number, attempts: number, { random }: GetOptions): Generator<number> {
  for (let attempt = 1; attempt <= Math.min(attempts, count - 1); attempt++) {
    const step = random ? 1 + Math.min(count - 2, Math.floor(random.uniform(0, count - 1))) : attempt;
    yield (index + step) % count;
  }
}

function checkPolicy(onError: string, attempts: number): void {
  if (!['throw', 'skip', 'substitute'].includes(onError)) {
    throw new DatasetError({
      code: 'option',
      argument: 'onError',
      expected: "'throw', 'skip' or 'substitute'",
      actual: JSON.stringify(onError),
    });
  }
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new DatasetError({
      code: 'option',
      argument: 'attempts',
      expected: 'a positive integer',
      actual: String(attempts),
    });
  }
}

function checkLabel({ id, label }: SampleInfo, classes: number): void {
  if (Number.isInteger(label) && label >= -1 && label < classes) return;
  throw new DatasetError({
    code: 'labels',
    argument: id,
    expected: `a label from 0 to ${classes - 1}, or -1 for none`,
    actual: String(label),
  });
}
