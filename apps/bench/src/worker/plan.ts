import type { BenchBackend } from '../core/comparison.ts';
import type { MeasureOptions, MeasureProgress } from '../core/measure.ts';
import type { RunHeader, RunLine } from '../core/run.ts';
import type { WorkerHandle } from './protocol.ts';

/** What is to be run. */
export interface RunPlan {
  readonly home: 'node' | 'browser';
  readonly scale: 'quick' | 'full';
  readonly backends: readonly BenchBackend[];
  /** names of suites; those that do not go with a home or a backend are left out there */
  readonly suites: readonly string[];
  /** only comparisons whose `suite/id` contains one of these */
  readonly only?: readonly string[];
  readonly peers: boolean;
  readonly measure: MeasureOptions;
}

/** How far a run is. */
export interface RunProgress {
  /** comparisons done */
  readonly done: number;
  readonly total: number;
  readonly backend: BenchBackend;
  readonly comparison?: string;
  readonly detail?: MeasureProgress;
}

/** What a run needs from its home. */
export interface RunHome {
  /** all of the first line but what the plan says */
  readonly header: Pick<RunHeader, 'machine' | 'versions' | 'commit'>;
  startWorker(): WorkerHandle;
  readonly signal?: AbortSignal;
  /** every line as soon as it is known: first the header, last the slopes */
  onLine?(line: RunLine): void;
  onProgress?(progress: RunProgress): void;
}
