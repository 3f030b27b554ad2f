import type { Worker } from 'node:worker_threads';
import { DatasetError } from '../../errors.ts';
import type { BatchRequest, Reading } from '../reading.ts';
import { type Answer, type Order, receivedError } from './messages.ts';

/** One worker thread, which reads one batch at a time. */
export class WorkerThread {
  /** number of samples, once the worker has its reader */
  readonly ready: Promise<number>;
  /** why it cannot be used any more */
  failure: Error | undefined;
  readonly #worker: Worker;
  #task: Task | undefined;
  #nextId = 0;
  #open: { resolve(length: number): void; reject(error: Error): void } | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.ready = new Promise((resolve, reject) => {
      this.#open = { resolve, reject };
    });
    // Whoever opens the pool hears of it.
    this.ready.catch(() => undefined);
    worker.on('message', (answer: Answer) => this.#take(answer));
    worker.on('messageerror', (cause) => this.#fail(ended(cause)));
    worker.on('error', (cause) => this.#fail(ended(cause)));
    worker.on('exit', (code) => this.#fail(ended(undefined, code)));
  }

  get busy(): boolean {
    return this.#task !== undefined;
  }

  /** Reads a batch; an abort is passed on to the worker, which is busy until it has noticed. */
  read(request: BatchRequest, signal: AbortSignal | undefined): Promise<Reading<unknown>> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const abort = () => this.#send({ kind: 'abort', id });
      signal?.addEventListener('abort', abort, { once: true });
      const done = () => signal?.removeEventListener('abort', abort);
      this.#task = { id, resolve, reject, done };
      this.#worker.ref();
      this.#send({ kind: 'read', id, request });
    });
  }

  async terminate(reason: Error): Promise<void> {
    this.#fail(reason);
    await this.#worker.terminate();
  }

  #send(order: Order): void {
    this.#worker.postMessage(order);
  }

  #take(answer: Answer): void {
    if (answer.kind === 'ready') {
      // An idle worker does not keep the process alive.
      this.#worker.unref();
      this.#open?.resolve(answer.length);
    } else if (answer.kind === 'unusable') {
      this.#fail(receivedError(answer.error));
    } else if (this.#task?.id === answer.id) {
      const task = this.#settle();
      if (answer.kind === 'batch') task?.resolve(answer.reading);
      else task?.reject(receivedError(answer.error));
    }
  }

  #fail(error: Error): void {
    this.failure ??= error;
    this.#open?.reject(this.failure);
    this.#settle()?.reject(this.failure);
  }

  #settle(): Task | undefined {
    const task = this.#task;
    this.#task = undefined;
    task?.done();
    if (task !== undefined) this.#worker.unref();
    return task;
  }
}

interface Task {
  readonly id: number;
  resolve(reading: Reading<unknown>): void;
  reject(error: Error): void;
  done(): void;
}

function ended(cause: unknown, code?: number): DatasetError {
  return new DatasetError({
    code: 'worker',
    argument: 'worker',
    expected: 'a worker that reads until it is closed',
    actual:
      cause instanceof Error ? `one that failed: ${cause.message}` : `one that ended with code ${code ?? 'unknown'}`,
    hint: 'The cause of this error holds the details, if there are any. Open the reader again.',
    cause,
  });
}
