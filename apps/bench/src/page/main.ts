import { MEASURE } from '../core/measure.ts';
import { suites } from '../suites/index.ts';
import { runBench } from '../worker/driver.ts';
import { type Choice, Controls } from './controls.ts';
import { offerFiles } from './files.ts';
import { describeMachine } from './machine.ts';
import { ProgressView } from './progressView.ts';
import { Results } from './results.ts';
import { findSupport } from './support.ts';
import { keepAwake } from './wakeLock.ts';
import { whileVisible } from './whileVisible.ts';
import { startWebWorker } from './workerHandle.ts';

const results = new Results();
const progress = new ProgressView();
offerFiles(results);
const controls = new Controls(suites, await findSupport());
let cancelling: AbortController | undefined;

controls.onCancel(() => cancelling?.abort());
controls.onStart(async (choice) => {
  cancelling = new AbortController();
  controls.running = true;
  const sleep = keepAwake();
  results.begin();
  progress.start();
  if (!crossOriginIsolated) {
    progress.note(
      'The server does not isolate this page from other origins, so its clock is coarse: samples are less exact.',
    );
  }
  progress.end(await measure(choice, cancelling.signal));
  sleep();
  controls.running = false;
});
controls.running = false;

/** @returns how it ended, in a sentence */
async function measure(choice: Choice, signal: AbortSignal): Promise<string> {
  const { only, scale, ...chosen } = choice;
  try {
    await runBench(
      { home: 'browser', scale, ...chosen, ...(only.length > 0 && { only }), measure: MEASURE[scale] },
      {
        // The worker adds the versions: of the browser, of tfjs and of the peers that it found.
        header: { machine: await describeMachine(), versions: {} },
        signal,
        startWorker: () =>
          whileVisible(startWebWorker, document, () =>
            progress.note('The page was hidden: the comparison under way will be measured anew.'),
          ),
        onLine: (line) => results.add(line),
        onProgress: (now) => progress.show(now),
      },
      suites,
    );
  } catch (error) {
    if (signal.aborted) return 'Cancelled. What was measured before stays below.';
    return `Stopped: ${error instanceof Error ? error.message : String(error)}`;
  }
  const rows = results.lines.filter(({ kind }) => kind === 'row').length;
  return rows === 0
    ? 'There is nothing to measure: no comparison of these suites goes with these backends and this name.'
    : `Done: ${rows} rows.`;
}
