/** Everything that a report shows. Plain data: `writeReport` measures nothing and fetches nothing. */
export interface DemoReport {
  readonly title: string;
  readonly task: TaskDescription;
  /** The model in focus first, then its twin; every table and chart keeps this order. */
  readonly models: readonly [ModelReport, ModelReport];
  readonly gallery: readonly GalleryClip[];
  /** What the numbers were measured on, as label and value: Node version, processor, backend, date, commit. */
  readonly environment: readonly (readonly [label: string, value: string])[];
  /** How it was measured: one paragraph an entry. */
  readonly method: readonly string[];
  /** What the figures do not say. */
  readonly limits: readonly string[];
  /** Commands that make this report again. */
  readonly commands?: readonly string[];
}

export interface TaskDescription {
  readonly name: string;
  /** Plain explanation of what a clip is and what is asked of the models: one paragraph an entry. */
  readonly description: readonly string[];
  /** Names of the classes, K of them. */
  readonly classes: readonly string[];
  /** Best accuracy that is possible when the order of the frames is unknown, 0 to 1. */
  readonly orderBlindCeiling: number;
}

/** So many of so many. */
export interface Proportion {
  readonly correct: number;
  readonly total: number;
}

export interface ModelReport {
  /** Name as people say it: `StructViT pico`. */
  readonly name: string;
  /** What it is, in a few words. */
  readonly summary: string;
  readonly parameters: number;
  /** Multiply-accumulates for one clip. */
  readonly macs: number;
  readonly clipsPerSecond: number;
  /** Most bytes of tensors at once in a forward pass of a batch, weights included; `NaN` where not measured. */
  readonly peakMemoryBytes: number;
  /** [K, K] counts over the held-out clips: row = true class, column = predicted class. */
  readonly confusion: Uint32Array;
  /** The same clips played backwards. */
  readonly backwards: {
    /** Counted against the class that the reversed film shows. */
    readonly asShown: Proportion;
    /** Counted against the class that the clip had forwards. */
    readonly asFilmed: Proportion;
  };
  /** The same clips with their frames in random order, against the label they had in order. */
  readonly shuffled: Proportion;
  readonly training?: TrainingRecord;
  /** Held-out result of each training seed. */
  readonly seeds?: readonly SeedResult[];
}

export interface TrainingRecord {
  readonly steps: number;
  readonly seconds: number;
  readonly loss: Series;
  /** Accuracy while training, 0 to 1, on clips that are not in the held-out set. */
  readonly accuracy?: Series;
}

/** Values over optimiser steps; both arrays have one length. */
export interface Series {
  readonly step: ArrayLike<number>;
  readonly value: ArrayLike<number>;
}

export interface SeedResult extends Proportion {
  readonly seed: number;
}

export interface GalleryClip {
  readonly frames: FrameStack;
  /** True class, an index into the task's classes. */
  readonly label: number;
  /** Class probabilities [K] of each model, in the order of `models`. */
  readonly probabilities: readonly [Float32Array, Float32Array];
  /** A few words under the clip: which digit, how fast. */
  readonly note?: string;
  readonly maps?: readonly StructureMap[];
}

export interface FrameStack {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Grey levels, [count, height, width]. */
  readonly pixels: Uint8Array;
}

/** How one token (the query) sums the tokens of the whole clip: equation 21 of the StructSA paper for one layer. */
export interface StructureMap {
  /** Which model and layer: `StructViT pico, block 4, head 2`. */
  readonly title: string;
  /** Token grid. `time` divides the number of frames of the clip. */
  readonly grid: { readonly time: number; readonly rows: number; readonly columns: number };
  /** The token whose sum is shown. */
  readonly query: { readonly time: number; readonly row: number; readonly column: number };
  /** Weights, [time, rows, columns], of either sign. */
  readonly weights: Float32Array;
}
