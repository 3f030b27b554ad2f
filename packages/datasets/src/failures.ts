import { MediaError } from '@saccade/media';
import type { SampleInfo } from './dataset.ts';
import { DatasetError } from './errors.ts';

/**
 * What happens to a sample that cannot be read (its file is missing or damaged).
 *
 * - `throw` (default): the error is thrown
 * - `skip`: the sample is left out of batches and loops; `get` throws
 * - `substitute`: another sample of the data set takes its place, as in SlowFast, UniFormer and Attention-in-Attention. It
 *   repeats that sample, which biases figures of an evaluation.
 */
export type OnError = 'throw' | 'skip' | 'substitute';

/** A sample that could not be read. */
export interface Failure {
  readonly index: number;
  readonly info: SampleInfo;
  readonly error: DatasetError;
}

/** How many failures a report keeps with their details. All are counted. */
const KEPT = 1000;

/** Which samples could not be read. A sample that is asked for again fails, and counts, again. */
export class FailureReport {
  #count = 0;
  #skipped = 0;
  #substituted = 0;
  readonly #failures: Failure[] = [];

  /** failed reads, whatever was done about them */
  get count(): number {
    return this.#count;
  }

  /** samples that were left out */
  get skipped(): number {
    return this.#skipped;
  }

  /** samples whose place another one took */
  get substituted(): number {
    return this.#substituted;
  }

  /** the first 1,000 failures */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** For data sets: a read failed. */
  failed(failure: Failure): void {
    this.#count++;
    if (this.#failures.length < KEPT) this.#failures.push(failure);
  }

  /** For data sets: a sample that failed was left out, or another took its place. */
  settled(outcome: 'skipped' | 'substituted'): void {
    if (outcome === 'skipped') this.#skipped++;
    else this.#substituted++;
  }
}

/** Whether an error says that the data of one sample cannot be read; everything else is a mistake that no policy hides. */
export function isUnreadable(error: unknown): error is DatasetError {
  return error instanceof DatasetError && (error.code === 'missing' || error.code === 'sample');
}

const MISTAKES = ['InvalidArgument', 'InvalidOption', 'MissingPackage'];

/**
 * Runs a step that reads or decodes the file of a sample; what it throws becomes a DatasetError that names the file.
 *
 * @throws DatasetError `sample` with the failure as its cause, or the DatasetError that the step threw; a
 *   MediaError that is the caller's mistake; the signal's reason
 */
export async function readingSample<T>(
  path: string,
  expected: string,
  signal: AbortSignal | undefined,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    signal?.throwIfAborted();
    // A wrong option or a package that is not installed is no fault of the file: every other sample would fail too.
    if (cause instanceof DatasetError || (cause instanceof MediaError && MISTAKES.includes(cause.code))) throw cause;
    throw new DatasetError({
      code: 'sample',
      argument: path,
      expected,
      actual: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}
