import { type ConsoleProgress, type ConsoleProgressOptions, consoleProgress } from '@saccade/command-kit';
import type { RunProgress } from '../worker/plan.ts';

/** The progress of a run in a terminal: a bar over the comparisons, and what is being done. */
export function runProgress(options: Pick<ConsoleProgressOptions, 'stream'> = {}): {
  update(progress: RunProgress): void;
  stop(): void;
} {
  let bar: ConsoleProgress | undefined;
  let barTotal = 0;
  return {
    update({ done, total, backend, comparison, detail }) {
      // What there is to do may be known better once a backend has been opened.
      if (total !== barTotal) {
        bar?.stop();
        bar = consoleProgress({ title: 'bench', total, start: done, ...options });
        barTotal = total;
      }
      const share = detail?.rounds === undefined ? '' : ` ${detail.round} of ${detail.rounds}`;
      bar?.update(done, {
        [comparison ?? 'on']: comparison === undefined ? backend : `on ${backend}`,
        ...(detail && { [detail.phase]: `${detail.contender ?? ''}${share}`.trim() }),
      });
    },
    stop: () => bar?.stop(),
  };
}
