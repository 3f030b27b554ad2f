import type { FromWorker, WorkerHandle } from '../worker/protocol.ts';

/** Starts a Web Worker that opens a backend and measures on it. */
export function startWebWorker(): WorkerHandle {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'bench' });
  return {
    send: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => listener(data)),
    onExit: (listener) =>
      worker.addEventListener('error', (event) => {
        // An error that nobody caught does not end a Web Worker, but whoever waits for its answer waits in vain.
        worker.terminate();
        listener(event.message || 'the worker did not load, or was ended by the browser');
      }),
    terminate: () => worker.terminate(),
  };
}
