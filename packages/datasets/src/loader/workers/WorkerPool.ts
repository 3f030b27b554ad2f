import { DatasetError } from '../../errors.ts';
import type { BatchReader, BatchRequest, Reading } from '../reading.ts';
import { abortable } from '../waiting.ts';
import type { WorkerThread } from './WorkerThread.ts';

/** Deals batches out to worker threads, in the order in which they are asked for. */
export class WorkerPool<B> implements BatchReader<B>, AsyncDisposable {
  readonly #threads: readonly WorkerThread[];
  /** those who wait for a thread */
  readonly #waiting: (() => void)[] = [];
  #length = 0;
  #closed: Error | undefined;

  constructor(threads: readonly WorkerThread[]) {
    this.#threads = threads;
  }

  get length(): number {
    return this.#length;
  }

  /** Waits until all threads are ready. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    const lengths = await abortable(Promise.all(this.#threads.map(({ ready }) => ready)), signal);
    this.#length = lengths[0] as number;
    const other = lengths.find((length) => length !== this.#length);
    if (other !== undefined) {
      throw new DatasetError({
        code: 'worker',
        argument: 'module',
        expected: `readers of ${this.#length} samples in all workers`,
        actual: `one of ${other}`,
        hint: 'The module must make the same data set from the same options.',
      });
    }
  }

  async readBatch(
    request: BatchRequest,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Reading<B>> {
    for (;;) {
      signal?.throwIfAborted();
      const failure = this.#closed ?? this.#threads.find((thread) => thread.failure !== undefined)?.failure;
      if (failure !== undefined) throw failure;
      // No pause between finding a free thread and making it busy: others are looking for one too.
      const free = this.#threads.find(({ busy }) => !busy);
      if (free !== undefined) {
        const reading = free.read(request, signal);
        reading.catch(() => undefined).finally(() => this.#wakeAll());
        // An aborted caller is told at once; the thread stays busy until it has noticed.
        return (await abortable(reading, signal)) as Reading<B>;
      }
      await abortable(new Promise<void>((resolve) => this.#waiting.push(resolve)), signal);
    }
  }

  /** In the order in which they came; all but the first will wait again. */
  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Ends all threads; what they were reading is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new DOMException('The reader is closed.', 'AbortError');
    this.#closed ??= closed;
    await Promise.all(this.#threads.map((thread) => thread.terminate(closed)));
    this.#wakeAll();
  }
}
