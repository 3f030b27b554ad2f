import type { Bench, Comparison, Contender, PeakMemory, Prepared } from '../comparison.ts';
import type { MeasureOptions } from '../measureOptions.ts';
import type { CheckResult, Row } from '../row.ts';

/** A clock that only moves when it is told to. */
export class Clock {
  #now = 1000;

  get now(): number {
    return this.#now;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** A bench without a device: its contenders move the clock. */
export function fakeBench(clock: Clock, more: Partial<Bench> = {}): Bench {
  return {
    home: 'node',
    backend: 'cpu',
    softwareGpu: false,
    scale: 'quick',
    peers: [],
    absentPeers: [],
    now: () => clock.now,
    settle: async () => {},
    async peakOf(action): Promise<PeakMemory> {
      await action();
      return { tensorBytes: 100, deviceBytes: 400 };
    },
    ...more,
  };
}

export const RIGHT: CheckResult = { against: 'a test', error: 1e-7, tolerance: 1e-5 };

/** A contender that takes so many milliseconds and is right. */
export function fakeContender(
  clock: Clock,
  name: string,
  milliseconds: number,
  more: Partial<Contender> = {},
): Contender {
  return {
    name,
    role: 'saccade',
    async run() {
      clock.pass(milliseconds);
      return undefined;
    },
    check: async () => RIGHT,
    ...more,
  };
}

export const OPTIONS: MeasureOptions = {
  samples: 20,
  mostSamples: 40,
  steadyMs: 100,
  precision: 0.05,
  patienceMs: 10_000,
  shortestSampleMs: 1,
  budgetMs: 1000,
  seed: 3,
};

/** A comparison of contenders that are there, and whether it was tidied up. */
export function fakeComparison(
  contenders: readonly Contender[],
  more: Partial<Prepared> = {},
): Comparison & { readonly disposed: () => number } {
  let disposed = 0;
  return {
    suite: 'tests',
    id: 'fake/n49',
    parameters: { tokens: 49 },
    prepare: async () => ({
      contenders,
      dispose() {
        disposed++;
      },
      ...more,
    }),
    disposed: () => disposed,
  };
}

/** What a row without a time must not have. */
export const TIMES = [
  'wallMs',
  'cpuMs',
  'gpuMs',
  'samplesMs',
  'timeRatio',
  'cpuRatio',
  'compileMs',
  'uploadMs',
  'roofline',
] as const satisfies readonly (keyof Row)[];
