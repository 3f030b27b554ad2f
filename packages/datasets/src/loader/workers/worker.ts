import { parentPort, workerData } from 'node:worker_threads';
import { DatasetError } from '../../errors.ts';
import type { BatchReader } from '../reading.ts';
import { type Answer, type Order, sentError, transferables, type WorkerStart } from './messages.ts';

// The program of a worker thread: see readInWorkers.

const port = parentPort as NonNullable<typeof parentPort>;
const running = new Map<number, AbortController>();

const answer = (message: Answer, transfer: Iterable<ArrayBuffer> = []) => port.postMessage(message, [...transfer]);

try {
  const reader = await makeReader(workerData as WorkerStart);
  port.on('message', (order: Order) => {
    if (order.kind === 'abort') running.get(order.id)?.abort();
    else void read(reader, order);
  });
  answer({ kind: 'ready', length: reader.length });
} catch (error) {
  answer({ kind: 'unusable', error: sentError(error) });
}

async function makeReader({ module, options }: WorkerStart): Promise<BatchReader<unknown>> {
  const { createReader } = (await import(module)) as { readonly createReader?: unknown };
  if (typeof createReader !== 'function') {
    throw new DatasetError({
      code: 'option',
      argument: 'module',
      expected: 'a module that exports a function createReader',
      actual: `${module}, where it is ${typeof createReader}`,
    });
  }
  return (await createReader(options)) as BatchReader<unknown>;
}

async function read(reader: BatchReader<unknown>, { id, request }: Extract<Order, { kind: 'read' }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const reading = await reader.readBatch(request, { signal: controller.signal });
    answer({ kind: 'batch', id, reading }, transferables(reading.batch));
  } catch (error) {
    answer({ kind: 'failed', id, error: sentError(error) });
  } finally {
    running.delete(id);
  }
}
