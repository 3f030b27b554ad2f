import { Worker, type WorkerOptions } from 'node:worker_threads';
import { DatasetError } from '../../errors.ts';
import { checkInteger } from '../checks.ts';
import type { BatchReader } from '../reading.ts';
import { WorkerPool } from './WorkerPool.ts';
import { WorkerThread } from './WorkerThread.ts';

/** Options of {@link readInWorkers}. */
export interface WorkersOptions {
  /**
   * A module that exports `createReader(options): BatchReader | Promise<BatchReader>`; each worker imports it. A URL:
   * `new URL('./clips.js', import.meta.url)`, `import.meta.resolve('a-package')`.
   */
  readonly module: URL | string;
  /** what the module gets: anything that can be cloned */
  readonly options?: unknown;
  /** worker threads; default 2 */
  readonly count?: number | undefined;
  /** of each worker, for example `['--import', 'some-loader']`; default: those of this process */
  readonly execArgv?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads batches in threads of their own (Node). A batch is read as a whole by the first worker that is free; its arrays are moved
 * here, not copied. What a worker throws is thrown here; a DatasetError stays one.
 *
 * Close it after use (`await using`): it ends the threads. A process that forgets to is not kept alive by idle workers.
 *
 * @throws DatasetError `option`; `worker` if a worker ends before it is ready; what the module throws; the signal's reason.
 *   Reading throws `worker` once a worker has ended, and an AbortError once the reader is closed.
 */
export async function readInWorkers<B>({
  module,
  options,
  count = 2,
  execArgv,
  signal,
}: WorkersOptions): Promise<BatchReader<B> & AsyncDisposable> {
  checkInteger('count', count, 1, 256);
  signal?.throwIfAborted();
  const start = { module: String(module), options };
  const settings = { workerData: start, ...(execArgv && { execArgv: [...execArgv] }) };
  const threads = Array.from({ length: count }, () => new WorkerThread(startWorker(settings)));
  const pool = new WorkerPool<B>(threads);
  try {
    await pool.open(signal);
    return pool;
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
}

function startWorker(settings: WorkerOptions): Worker {
  try {
    return new Worker(PROGRAM, settings);
  } catch (cause) {
    if (!(cause instanceof Error && cause.name === 'DataCloneError')) throw cause;
    throw new DatasetError({
      code: 'option',
      argument: 'options',
      expected: 'data that can be cloned into a worker',
      actual: cause.message,
      hint: 'Pass paths and numbers, and make the data set of them in the module.',
      cause,
    });
  }
}

/** Beside this file, in the sources as in the build. */
const PROGRAM = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
