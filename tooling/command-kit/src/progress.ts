import { SingleBar } from 'cli-progress';
import { formatDuration, formatInteger, formatNumber } from './format.ts';

/** Values shown beside the bar, in the order of their keys. Numbers are printed with three significant digits. */
export type ProgressFields = Readonly<Record<string, string | number>>;

export interface ConsoleProgress {
  /** @param done units done so far, `start` to `total` */
  update(done: number, fields?: ProgressFields): void;
  /** Draws the last state and gives the terminal back. Safe to call twice. */
  stop(): void;
}

export interface ConsoleProgressOptions {
  readonly title: string;
  readonly total: number;
  /** Units done before this run, for work that is resumed; they do not count for the time left. Default 0. */
  readonly start?: number;
  /** Where to draw. Default `process.stderr`, so that results on standard output can be piped. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Milliseconds between two lines where the stream is no terminal. Default 5,000. */
  readonly lineInterval?: number;
  /** Clock in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Progress of long work: a bar in a terminal; elsewhere (a log, a pipe) one line every few seconds.
 *
 * The time left follows from the mean speed of this run.
 */
export function consoleProgress(options: ConsoleProgressOptions): ConsoleProgress {
  const {
    title,
    total,
    start = 0,
    stream = process.stderr,
    lineInterval = 5000,
    now = () => performance.now(),
  } = options;
  const began = now();
  const describe = (done: number, fields: ProgressFields) => {
    const parts = Object.entries(fields).map(
      ([name, value]) => `${name} ${typeof value === 'number' ? formatNumber(value) : value}`,
    );
    const elapsed = (now() - began) / 1000;
    if (done >= total) parts.push(formatDuration(elapsed));
    else if (done > start) parts.push(`ETA ${formatDuration((elapsed / (done - start)) * (total - done))}`);
    return parts.join(' · ');
  };
  return stream.isTTY
    ? bar(title, total, start, stream, describe)
    : lines(title, total, start, stream, describe, lineInterval, now);
}

type Describe = (done: number, fields: ProgressFields) => string;

function bar(
  title: string,
  total: number,
  start: number,
  stream: NodeJS.WritableStream,
  describe: Describe,
): ConsoleProgress {
  const single = new SingleBar({
    stream,
    format: `${title} {bar} {percentage}% · {done}/{all} · {text}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    fps: 8,
    hideCursor: true,
    gracefulExit: false,
  });
  single.start(total, start, { done: formatInteger(start), all: formatInteger(total), text: '' });
  return {
    update(done, fields = {}) {
      single.update(done, { done: formatInteger(done), text: describe(done, fields) });
    },
    stop() {
      if (single.isActive) single.stop();
    },
  };
}

function lines(
  title: string,
  total: number,
  start: number,
  stream: NodeJS.WritableStream,
  describe: Describe,
  interval: number,
  now: () => number,
): ConsoleProgress {
  let printedAt = Number.NEGATIVE_INFINITY;
  let printed = '';
  let latest: (() => string) | undefined;
  const print = (line: string) => {
    if (line !== printed) stream.write(`${line}\n`);
    printed = line;
    printedAt = now();
  };
  return {
    update(done, fields = {}) {
      const line = () => {
        const percent = Math.floor((100 * done) / total);
        return `${title} ${percent}% · ${formatInteger(done)}/${formatInteger(total)} · ${describe(done, fields)}`;
      };
      latest = line;
      // Not before the first unit of this run is done: until then there is nothing to report.
      if (done > start && (now() - printedAt >= interval || done >= total)) {
        print(line());
        latest = undefined;
      }
    },
    stop() {
      if (latest) print(latest());
      latest = undefined;
    },
  };
}
