import type { RandomSource } from '@saccade/media';
import type { FailureReport, OnError } from './failures.ts';

/** What is known of a sample without reading its pixels. */
export interface SampleInfo {
  /** the name that the annotation gives it: a video id, a file's stem, ... */
  readonly id: string;
  /** its file, or folder of frames, relative to the root of the data set */
  readonly path: string;
  /** 0-based class, an index into `classes`; -1 where the annotation tells none (test splits) */
  readonly label: number;
}

/** A sample that was read. Data sets add pixels: {@link ImageSample}, {@link ClipSample}, ... */
export interface Sample extends SampleInfo {
  /** its number in the data set */
  readonly index: number;
  /** the number that was asked for, where that one could not be read and this sample stands in for it */
  readonly standsInFor?: number;
}

/** Options of reading a sample. */
export interface GetOptions {
  /** ends reading; the promise is rejected with its reason */
  readonly signal?: AbortSignal | undefined;
  /**
   * where samplers and transforms draw their random choices. A loader passes a stream that depends on its seed, the epoch and
   * the index; without one, they make the choice of an evaluation or refuse.
   */
  readonly random?: RandomSource | undefined;
}

/**
 * Samples by number. All data sets of this package are of this kind, and a loader needs nothing else of them.
 *
 * Reading keeps no state: any sample can be read at any time, in any order, several at once.
 */
export interface Dataset<S extends Sample = Sample> extends AsyncIterable<S> {
  /** for messages, such as `ImageNet val` */
  readonly name: string;
  /** number of samples N */
  readonly length: number;
  /** names of the classes; a label is an index into them */
  readonly classes: readonly string[];
  /** what happens to samples that cannot be read */
  readonly onError: OnError;
  /** which samples could not be read so far */
  readonly report: FailureReport;
  /**
   * What the annotation says of a sample, without reading it.
   *
   * @throws DatasetError `index` outside 0 ... length - 1
   */
  describe(index: number): SampleInfo;
  /**
   * Reads a sample.
   *
   * @throws DatasetError `index` outside 0 ... length - 1; `missing` or `sample` if it cannot be read, unless `onError` is
   *   `substitute` and another one can; the signal's reason; what a transform throws
   */
  get(index: number, options?: GetOptions): Promise<S>;
  /** As `get`, but gives undefined for a sample that cannot be read if `onError` is `skip`. Loaders call this. */
  tryGet(index: number, options?: GetOptions): Promise<S | undefined>;
  /** All samples in their order, without those that `skip` leaves out. `for await (const sample of dataset)` is the same. */
  samples(options?: GetOptions): AsyncGenerator<S, void, undefined>;
}
