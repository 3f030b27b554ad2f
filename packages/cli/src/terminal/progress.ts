import { Presets, SingleBar } from 'cli-progress';
import prettyBytes from 'pretty-bytes';
import type { Terminal } from './terminal.ts';

/** Shows how far work on bytes is. */
export interface Progress {
  /** @param total undefined while it is not known */
  update(done: number, total: number | undefined): void;
  /** Takes the bar away. */
  stop(): void;
}

/** A bar on standard error if that is a terminal, and nothing elsewhere. */
export function byteProgress({ stderr }: Terminal, title: string): Progress {
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
    done: prettyBytes(done, { binary: true }),
    all: total === undefined ? 'unknown size' : prettyBytes(total, { binary: true }),
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

/** Runs work with a bar that is gone afterwards, however it ends. */
export async function withProgress<T>(
  terminal: Terminal,
  title: string,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = byteProgress(terminal, title);
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}
