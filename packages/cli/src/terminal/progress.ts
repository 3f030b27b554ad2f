import { Presets, SingleBar } from 'cli-progress';
import prettyBytes from 'pretty-bytes';
import type { Terminal } from './terminal.ts';

/** Shows how far work is. */
export interface Progress {
  /** @param total undefined while it is not known */
  update(done: number, total: number | undefined): void;
  /** Takes the bar away. */
  stop(): void;
}

/** A bar on standard error if that is a terminal, and nothing elsewhere. */
export function byteProgress({ stderr }: Terminal, title: string, show = bytes): Progress {
  if (!stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    {
      stream: stderr,
      format: `${title} {bar} {percentage}% · {done} of {all}`,
      barsize: 24,
      fps: 8,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  const texts = (done: number, total: number | undefined) => ({
    done: show(done),
    all: total === undefined ? 'unknown size' : show(total),
  });
  bar.start(1, 0, texts(0, undefined));
  return {
    update(done, total) {
      bar.setTotal(total ?? Math.max(1, done));
      bar.update(done, texts(done, total));
    },
    stop: () => bar.stop(),
  };
}

const bytes = (count: number) => prettyBytes(count, { binary: true });

/**
 * Runs work with a bar that is gone afterwards, however it ends.
 *
 * @param show how amounts are written; default: as bytes
 */
export async function withProgress<T>(
  terminal: Terminal,
  title: string,
  work: (progress: Progress) => Promise<T>,
  show?: (amount: number) => string,
): Promise<T> {
  const progress = byteProgress(terminal, title, show);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}
