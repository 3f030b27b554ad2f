import type { Row } from './row.ts';

/** The format of the lines; one more whenever a reader of old files must know. */
export const SCHEMA = 1;

/** First line of a run: where, with what and how it was measured. */
export interface RunHeader {
  readonly kind: 'run';
  readonly schema: typeof SCHEMA;
  readonly home: 'node' | 'browser';
  /** ISO 8601, UTC */
  readonly date: string;
  readonly machine: Machine;
  /** of Node or the browser, tfjs and every peer that took part */
  readonly versions: Readonly<Record<string, string>>;
  /** commit of the sources, with `+` if they were changed; unknown in a browser */
  readonly commit?: string;
  readonly scale: 'quick' | 'full';
  readonly options: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** What the machine is, as far as the program is told. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** bytes; a browser rounds and caps it */
  readonly memory?: number;
  readonly system: string;
}

/** A line for every backend that took part. */
export interface DeviceLine {
  readonly kind: 'device';
  readonly backend: string;
  readonly softwareGpu: boolean;
  /** `AMD EPYC ... (wasm, SIMD)`, `NVIDIA H200`, `SwiftShader driver 5.0.0` */
  readonly description: string;
  readonly features: readonly string[];
  /** measured on this device in this run; absent where it could not be */
  readonly roofline?: Roofline;
  /** of what only this backend's worker knows; the header has the rest */
  readonly versions?: Readonly<Record<string, string>>;
}

/** What the device can do at best. */
export interface Roofline {
  /** two for each fused multiply-add of 32 bit */
  readonly flopsPerSecond: number;
  /** read plus written */
  readonly bytesPerSecond: number;
  /** from handing over an empty program until it is known to be done */
  readonly dispatchMs: number;
}

/** How a quantity of one series of rows grows: the slope of log(quantity) over log(N). */
export interface SlopeLine {
  readonly kind: 'slope';
  readonly suite: string;
  readonly backend: string;
  readonly softwareGpu: boolean;
  /** what distinguishes the series: contender and all parameters but N */
  readonly contender: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly quantity: 'wallMs' | 'cpuMs' | 'gpuMs' | 'peakTensorBytes' | 'peakDeviceBytes';
  readonly slope: number;
  /** N of the points that the line is fitted to */
  readonly tokens: readonly number[];
}

/** A line of a file of results (JSON lines). */
export type RunLine = RunHeader | DeviceLine | Row | SlopeLine;
