import type { Reading, SampleFailure } from './reading.ts';

/** How many failures are kept with their details; all are counted. */
const KEPT = 100;

/** What a loader did so far. */
export class LoaderStatistics {
  /** batches that were given out */
  batches = 0;
  /** of those, batches that were there when they were asked for */
  ready = 0;
  samples = 0;
  /** samples that could not be read and were left out */
  skipped = 0;
  /** samples that could not be read and in whose place another was taken */
  substituted = 0;
  /** milliseconds that callers waited for batches: what loading adds to a run that does nothing meanwhile */
  waitMs = 0;
  longestWaitMs = 0;
  /** the first 100 failures */
  readonly failures: SampleFailure[] = [];

  /** @internal */
  gaveOut({ samples, failures }: Reading<unknown>, wait: { readonly ms: number; readonly ready: boolean }): void {
    this.batches++;
    this.samples += samples;
    if (wait.ready) this.ready++;
    this.waitMs += wait.ms;
    this.longestWaitMs = Math.max(this.longestWaitMs, wait.ms);
    for (const failure of failures) {
      this[failure.outcome]++;
      if (this.failures.length < KEPT) this.failures.push(failure);
    }
  }
}
