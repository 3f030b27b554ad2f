import type { Absent, SuitePlace } from '../core/comparison.ts';
import type { MeasureOptions, MeasureProgress } from '../core/measure.ts';
import type { Row } from '../core/row.ts';
import type { DeviceLine } from '../core/run.ts';

// A worker (a process of Node's, a Web Worker in a browser) has one backend and measures one comparison after the other.
// Who started it lists the comparisons, and starts another one where a worker dies.

/** What a worker is told. */
export type ToWorker =
  /** First, once. */
  | {
      readonly type: 'open';
      readonly place: SuitePlace;
      readonly measure: MeasureOptions;
      /** look for peers */
      readonly peers: boolean;
      /** measure the roofline; else use this one, or none */
      readonly roofline: 'measure' | DeviceLine['roofline'];
    }
  | { readonly type: 'measure'; readonly suite: string; readonly comparison: string };

/** What a worker says: `opened` or `failed` to `open`, `progress` and then `rows` or `failed` to `measure`. */
export type FromWorker =
  | {
      readonly type: 'opened';
      readonly device: DeviceLine;
      readonly versions: Readonly<Record<string, string>>;
      readonly absentPeers: readonly Absent[];
    }
  | { readonly type: 'progress'; readonly progress: MeasureProgress }
  /** `full`: so much memory is held that the next comparison should have a new worker */
  | { readonly type: 'rows'; readonly rows: readonly Row[]; readonly full: boolean }
  | { readonly type: 'failed'; readonly reason: string };

/** The worker's end of the line. */
export interface WorkerPort {
  send(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

/** The other end: a worker as its starter sees it. */
export interface WorkerHandle {
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** It ended by itself, and why. Not called after {@link terminate}. */
  onExit(listener: (reason: string) => void): void;
  terminate(): void;
}
