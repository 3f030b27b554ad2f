/** What came of one contender. Only `measured` rows have times. */
export type RowStatus =
  /** right, and timed */
  | 'measured'
  /** its numbers are not those of the reference: it gets no time */
  | 'wrong'
  /** it threw: no such kernel, out of memory, lost device */
  | 'failed'
  /** known beforehand, or after one run, to take too much memory or time */
  | 'skipped'
  /** a peer that this machine lacks, or that has no such operation */
  | 'absent';

/** Times of many runs, in milliseconds. */
export interface Spread {
  readonly median: number;
  /** first and third quartile */
  readonly quartiles: readonly [low: number, high: number];
  /** holds the true median with at least 95 % confidence; no distribution is assumed */
  readonly interval: readonly [low: number, high: number];
}

/** A quotient of two medians of the same run, with its 95 % interval over the rounds in which both took their turn. */
export interface Ratio {
  readonly value: number;
  readonly interval: readonly [low: number, high: number];
}

/** How right a result is. */
export interface CheckResult {
  /** what it was compared with: `explicit path`, `golden attention_d4`, `float64 on 16 queries`, ... */
  readonly against: string;
  /** largest deviation, relative to the largest magnitude expected; `Number.MAX_VALUE` for what is not finite */
  readonly error: number;
  readonly tolerance: number;
}

/** What the work needs by its formulas, for one run. */
export interface WorkCost {
  readonly params?: number;
  /** multiply-accumulates of the forward pass; with gradients, three times as many are counted */
  readonly macs?: number;
  /** bytes that must move at least: inputs read once, results written once */
  readonly bytes?: number;
}

/** How fast the device could do the work at best, by what was measured on it in the same run. */
export interface RooflineShare {
  readonly flopsPerSecond: number;
  /** least of the FMA rate, and of arithmetic intensity times copy bandwidth */
  readonly attainableFlopsPerSecond: number;
  readonly percent: number;
  readonly limit: 'compute' | 'bandwidth';
}

/** One line of a run's results: one contender in one comparison on one backend. */
export interface Row {
  readonly kind: 'row';
  readonly suite: string;
  /** the comparison within its suite: `attention/n784-d64-b1/forward` */
  readonly comparison: string;
  /** sizes and options of the comparison, as columns */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly contender: string;
  readonly role: 'saccade' | 'peer';
  /** what computes, where it is not the backend: `onnxruntime-web 1.30.0, wasm, 1 thread` */
  readonly engine?: string;
  readonly backend: string;
  /** the "GPU" is a driver on the processor: its times say nothing about a GPU */
  readonly softwareGpu: boolean;
  readonly status: RowStatus;
  /** for every status but `measured` */
  readonly reason?: string;
  readonly check?: CheckResult;
  readonly wallMs?: Spread;
  /** processor time of the process; other programs on the machine do not lengthen it */
  readonly cpuMs?: Spread;
  /** by timestamp queries, without the gaps between programs */
  readonly gpuMs?: Spread;
  /** wall times of every sample, in the order of the rounds */
  readonly samplesMs?: readonly number[];
  /** runs that make one sample, where one run is too short for the clock */
  readonly runsPerSample?: number;
  /** the contender that the ratios refer to */
  readonly baseline?: string;
  /** its wall time by the baseline's */
  readonly timeRatio?: Ratio;
  /** its processor time by the baseline's */
  readonly cpuRatio?: Ratio;
  /** its peak of device bytes by the baseline's, or of tensor bytes where there are no others */
  readonly memoryRatio?: number;
  /** the first run less the steady median: compilation, and memory that grows */
  readonly compileMs?: number;
  readonly uploadMs?: number;
  readonly uploadBytes?: number;
  /** most bytes of tensors at once, beside those that were there */
  readonly peakTensorBytes?: number;
  /** most bytes at once of the wasm heap or the GPU's buffers, scratch memory and pool included */
  readonly peakDeviceBytes?: number;
  readonly cost?: WorkCost;
  readonly roofline?: RooflineShare;
  /** what is measured instead of a time: bytes of a bundle, share of a step spent waiting */
  readonly quantities?: Readonly<Record<string, number>>;
}
