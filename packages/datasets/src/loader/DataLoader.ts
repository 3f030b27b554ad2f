import { DatasetError } from '../errors.ts';
import { checkInteger } from './checks.ts';
import { cursorAt, type LoaderCursor, stepOf } from './cursor.ts';
import { type OrderOptions, SampleOrder } from './order.ts';
import type { BatchReader, Reading } from './reading.ts';
import { LoaderStatistics } from './statistics.ts';
import { abortable } from './waiting.ts';

/** Options of {@link DataLoader}. */
export interface LoaderOptions<B> extends OrderOptions {
  /** where batches come from; it stays its maker's to close, and may serve several loaders */
  readonly reader: BatchReader<B>;
  /** batches that are read ahead, and so the most that are kept beside the one that was asked for; default 2 */
  readonly prefetch?: number | undefined;
  /** samples that may fail under the policies `skip` and `substitute` before the run ends; default: any number */
  readonly maxFailures?: number | undefined;
}

/** Options of {@link DataLoader.at}. */
export interface AtOptions {
  readonly signal?: AbortSignal | undefined;
  /** the step at which the run ends: nothing is read ahead beyond; default: it never ends */
  readonly end?: number | undefined;
}

/** Options of {@link DataLoader.batches}. */
export interface BatchesOptions {
  /** epochs in all, those before a resumption included; default 1 */
  readonly epochs?: number | undefined;
  /** where to go on; it may come out of a file */
  readonly from?: LoaderCursor | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A batch, and where the run stands after it. */
export interface LoadedBatch<B> {
  readonly batch: B;
  readonly step: number;
  readonly epoch: number;
  /** to go on with the batch after this one */
  readonly cursor: LoaderCursor;
}

/**
 * Batches of a data set in a seeded order, read ahead while the caller works on the one before.
 *
 * The batch of step s is a function of (reader, options, s) alone ({@link SampleOrder}): it can be asked for in any order,
 * after any interruption, and with any number of workers. At most `1 + prefetch` batches are in memory or under way.
 *
 * A loader is what `train` of `@saccade/engine` takes as steps (through `tensorSteps`).
 */
export class DataLoader<B> implements AsyncDisposable {
  readonly order: SampleOrder;
  readonly seed: number;
  readonly statistics = new LoaderStatistics();
  readonly #reader: BatchReader<B>;
  readonly #prefetch: number;
  readonly #maxFailures: number;
  readonly #pending = new Map<number, PendingBatch<B>>();
  readonly #closed = new AbortController();

  /** @throws DatasetError `option` */
  constructor({ reader, prefetch = 2, maxFailures = Number.MAX_SAFE_INTEGER, ...order }: LoaderOptions<B>) {
    checkInteger('prefetch', prefetch, 0, 1024);
    checkInteger('maxFailures', maxFailures, 0);
    this.order = new SampleOrder(reader.length, order);
    this.seed = this.order.options.seed;
    this.#reader = reader;
    this.#prefetch = prefetch;
    this.#maxFailures = maxFailures;
  }

  /** batches of an epoch */
  get stepsPerEpoch(): number {
    return this.order.stepsPerEpoch;
  }

  /** The epoch, from 0, that a step belongs to. */
  epochOf(step: number): number {
    return this.order.epochOf(step);
  }

  /**
   * The batch of a step; those of the next steps begin to be read. What was read ahead for other steps is dropped.
   *
   * @throws DatasetError for samples that cannot be read, and `sample` beyond `maxFailures`; the signal's reason; an
   *   AbortError once the loader is closed
   */
  async at(step: number, { signal, end = Number.POSITIVE_INFINITY }: AtOptions = {}): Promise<B> {
    this.#closed.signal.throwIfAborted();
    signal?.throwIfAborted();
    const last = Math.min(step + this.#prefetch, end - 1);
    for (const [other, pending] of this.#pending) {
      if ((other < step || other > last) && pending.awaited === 0) this.#drop(other, pending);
    }
    const wanted = this.#begin(step);
    for (let ahead = step + 1; ahead <= last; ahead++) this.#begin(ahead);
    const began = performance.now();
    const { settled: ready } = wanted;
    wanted.awaited++;
    try {
      const reading = await abortable(wanted.reading, signal);
      this.statistics.gaveOut(reading, { ms: performance.now() - began, ready });
      this.#checkFailures();
      return reading.batch;
    } catch (error) {
      if (signal?.aborted) this.#dropAll(signal.reason);
      throw error;
    } finally {
      wanted.awaited--;
      // Taken: kept by the caller from here on.
      if (this.#pending.get(step) === wanted && wanted.awaited === 0) this.#pending.delete(step);
    }
  }

  /**
   * All batches of a number of epochs, or the rest of them.
   *
   * @throws DatasetError `cursor` for a cursor of another loader; what {@link at} throws
   */
  async *batches({ epochs = 1, from, signal }: BatchesOptions = {}): AsyncGenerator<LoadedBatch<B>, void, undefined> {
    checkInteger('epochs', epochs, 0);
    const end = epochs * this.stepsPerEpoch;
    for (let step = from === undefined ? 0 : stepOf(from, this.order); step < end; step++) {
      const batch = await this.at(step, { signal, end });
      yield { batch, step, epoch: this.epochOf(step), cursor: this.cursorAt(step + 1) };
    }
  }

  /** The place before a step: `batches({ from: loader.cursorAt(s) })` begins with step s. */
  cursorAt(step: number): LoaderCursor {
    return cursorAt(this.order, step);
  }

  /** Ends what is being read; every later call fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new DOMException('The loader is closed.', 'AbortError'));
    const pending = [...this.#pending.values()];
    this.#dropAll(this.#closed.signal.reason);
    await Promise.allSettled(pending.map(({ reading }) => reading));
  }

  #begin(step: number): PendingBatch<B> {
    const known = this.#pending.get(step);
    if (known !== undefined) return known;
    const controller = new AbortController();
    const request = { indices: this.order.indices(step), epoch: this.epochOf(step), seed: this.seed };
    const reading = this.#reader.readBatch(request, { signal: controller.signal });
    const pending: PendingBatch<B> = { reading, controller, settled: false, awaited: 0 };
    // Whoever asks for the step hears of a failure; until then it is nobody's.
    reading
      .catch(() => undefined)
      .finally(() => {
        pending.settled = true;
      });
    this.#pending.set(step, pending);
    return pending;
  }

  #drop(step: number, { controller }: PendingBatch<B>, reason?: unknown): void {
    this.#pending.delete(step);
    controller.abort(reason);
  }

  #dropAll(reason: unknown): void {
    for (const [step, pending] of this.#pending) this.#drop(step, pending, reason);
  }

  #checkFailures(): void {
    const { skipped, substituted, failures } = this.statistics;
    if (skipped + substituted <= this.#maxFailures) return;
    const first = failures[0];
    throw new DatasetError({
      code: 'sample',
      argument: 'maxFailures',
      expected: `at most ${this.#maxFailures} samples that cannot be read`,
      actual: `${skipped + substituted}, the first ${first?.path} (${first?.message})`,
      hint: 'Check the installation of the data set (saccade data check), or allow more.',
    });
  }
}

interface PendingBatch<B> {
  readonly reading: Promise<Reading<B>>;
  readonly controller: AbortController;
  settled: boolean;
  /** callers that wait for it */
  awaited: number;
}
