import type { Bench } from './comparison.ts';
import type { Roofline } from './run.ts';

/** How long and how often is measured. */
export interface MeasureOptions {
  /** least number of timed rounds */
  readonly samples: number;
  /** most rounds, for work so short that many fit into {@link steadyMs} */
  readonly mostSamples: number;
  /** milliseconds of timed rounds that a contender should at least have */
  readonly steadyMs: number;
  /** half the width of a ratio's 95 % interval, relative to the ratio, at which it is known well enough */
  readonly precision: number;
  /** milliseconds of rounds after which they end also where {@link precision} is not reached */
  readonly patienceMs: number;
  /** shortest sample, in milliseconds: shorter work is repeated within one */
  readonly shortestSampleMs: number;
  /** milliseconds that the least number of rounds of one contender may take; beyond, it is skipped */
  readonly budgetMs: number;
  readonly seed: number;
}

export const MEASURE: Readonly<Record<'quick' | 'full', MeasureOptions>> = {
  quick: {
    samples: 20,
    mostSamples: 100,
    steadyMs: 300,
    precision: 0.04,
    patienceMs: 5_000,
    shortestSampleMs: 2,
    budgetMs: 3_000,
    seed: 1,
  },
  full: {
    samples: 20,
    mostSamples: 200,
    steadyMs: 1_000,
    precision: 0.03,
    patienceMs: 8_000,
    shortestSampleMs: 5,
    budgetMs: 60_000,
    seed: 1,
  },
};

/** What of a comparison is being done. */
export interface MeasureProgress {
  readonly phase: 'prepare' | 'check' | 'measure';
  readonly contender?: string;
  /** rounds done, of `rounds` */
  readonly round?: number;
  readonly rounds?: number;
}

/** What goes on around a measurement. */
export interface MeasureContext {
  readonly bench: Bench;
  readonly options: MeasureOptions;
  readonly roofline?: Roofline;
  readonly signal?: AbortSignal;
  onProgress?(progress: MeasureProgress): void;
}
