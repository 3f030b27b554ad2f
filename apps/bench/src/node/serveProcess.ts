import { totalmem } from 'node:os';
import type { Suite } from '../core/comparison.ts';
import { openBench } from '../device/openBench.node.ts';
import { measureRoofline } from '../device/roofline/index.ts';
import { detectPeers } from '../peers/index.node.ts';
import type { FromWorker, ToWorker } from '../worker/protocol.ts';
import { serve } from '../worker/serve.ts';

/** Bytes that a worker may hold before another one takes over. */
const FULL = Math.min(2 * 2 ** 30, totalmem() / 4);

/** Serves suites to the process that forked this one. */
export function serveProcess(suites: readonly Suite[]): void {
  if (process.send === undefined)
    throw new Error('this module is a worker of the bench and has to be forked: run `pnpm bench`');
  // Ctrl-C reaches all processes of a terminal. Who forked this one ends it in good order, and writes no row about it.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit());
  serve(
    {
      send: (message: FromWorker) => void process.send?.(message),
      onMessage: (listener) => process.on('message', (message) => listener(message as ToWorker)),
    },
    { suites, open: openBench, detectPeers, measureRoofline, full: () => process.memoryUsage.rss() > FULL },
  );
}
