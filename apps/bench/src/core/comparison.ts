import type { CheckResult, WorkCost } from './row.ts';

/** Backends that a comparison can run on. */
export type BenchBackend = 'cpu' | 'wasm' | 'webgpu' | 'webgl';

/** Most bytes at once, beside those that were there. */
export interface PeakMemory {
  readonly tensorBytes: number;
  /** of the wasm heap or the GPU's buffers; absent where nobody can tell */
  readonly deviceBytes?: number;
}

/** What comparisons find when they are prepared: a backend in use, and how to watch it. */
export interface Bench {
  readonly home: 'node' | 'browser';
  readonly backend: BenchBackend;
  readonly softwareGpu: boolean;
  readonly scale: 'quick' | 'full';
  /** Peers that are there and go with this backend. */
  readonly peers: readonly Peer[];
  /** Peers that could be there and are not, and why. */
  readonly absentPeers: readonly Absent[];
  /** Milliseconds, monotonic. */
  now(): number;
  /** Milliseconds of processor time of this process; absent in browsers. */
  cpu?(): number;
  /** Waits until the device has done everything. @throws with what the device reported since the last call */
  settle(): Promise<void>;
  /** The most memory that existed while `action` ran. */
  peakOf(action: () => Promise<void>): Promise<PeakMemory>;
  /** Milliseconds that the GPU computed for `action`, by timestamp queries; absent where there are none. */
  gpuTime?(action: () => void): Promise<number>;
}

/** Times that a contender took itself, since it computes in another process. */
export interface OwnTiming {
  readonly wallMs: number;
  readonly cpuMs?: number;
  readonly peakBytes?: number;
  readonly quantities?: Readonly<Record<string, number>>;
}

/** One of those that do the work of a comparison. */
export interface Contender {
  readonly name: string;
  readonly role: 'saccade' | 'peer';
  readonly engine?: string;
  /** Does the work once and waits until it is done. Returns times only if the bench cannot take them from outside. */
  run(): Promise<OwnTiming | undefined>;
  /** Does the work and compares its result. */
  check(): Promise<CheckResult>;
  readonly cost?: WorkCost;
  /** Measured instead of times, for what takes none: bytes of a bundle. Such a contender's `run` is never called. */
  quantities?(): Promise<Readonly<Record<string, number>>>;
  /** For GPU time: hands the work over without waiting. */
  dispatch?(): void;
  /** Moves what it needs to the device once more; the bytes. */
  upload?(): Promise<number>;
}

/** Somebody or something that cannot take part, and why. */
export interface Absent {
  readonly name: string;
  readonly reason: string;
  /** `skipped` for too much memory or time; default `absent` */
  readonly status?: 'absent' | 'skipped';
  /** default `peer` */
  readonly role?: 'saccade' | 'peer';
}

/** A comparison with its tensors made. */
export interface Prepared {
  readonly contenders: readonly Contender[];
  /** name of the contender that the others' ratios refer to */
  readonly baseline?: string;
  readonly absent?: readonly Absent[];
  dispose(): void | Promise<void>;
}

/** Contenders that do the same work on the same numbers, measured in turn. */
export interface Comparison {
  readonly suite: string;
  /** unique in its suite; letters, digits, `-`, `.` and `/` */
  readonly id: string;
  /** sizes and options; `tokens` is N, over which slopes are fitted */
  readonly parameters: Readonly<Record<string, string | number>>;
  /** In order of preparation; allocates. */
  prepare(bench: Bench): Promise<Prepared>;
}

/** A list of comparisons under one name. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  readonly homes: readonly ('node' | 'browser')[];
  readonly backends: readonly BenchBackend[];
  /** Must not allocate: both sides of the protocol call it to know what there is. */
  comparisons(where: SuitePlace): readonly Comparison[];
}

/** What the list of a suite may depend on. */
export interface SuitePlace {
  readonly home: 'node' | 'browser';
  readonly backend: BenchBackend;
  readonly softwareGpu: boolean;
  readonly scale: 'quick' | 'full';
}

/** Work that a peer may be asked for. Numbers are row-major. */
export type PeerTask =
  /** softmax(q k^T / sqrt(d)) v per head; q, k, v and the result [B, h, N, d] */
  | {
      readonly kind: 'attention';
      readonly shape: readonly [batch: number, heads: number, tokens: number, headDim: number];
      readonly q: Float32Array;
      readonly k: Float32Array;
      readonly v: Float32Array;
    }
  /** a [M, K] times b [K, N] */
  | {
      readonly kind: 'matMul';
      readonly sizes: readonly [m: number, k: number, n: number];
      readonly a: Float32Array;
      readonly b: Float32Array;
    }
  /** logits of a network for one batch; all peers get the same weights */
  | NetworkTask;

export interface NetworkTask {
  readonly kind: 'network';
  /** name in the catalogue of backbones: `vit_s_16` */
  readonly model: string;
  /** image or clip batch in PyTorch's layout, [B, 3, H, W] */
  readonly input: Float32Array;
  readonly inputShape: readonly number[];
  /** the network as an ONNX file, made once and kept */
  onnx(): Promise<Uint8Array>;
  /** PyTorch names and layouts */
  weights(): Promise<ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;
}

/** A task in the hands of a peer. */
export interface PeerWork {
  /** `onnxruntime-node 1.30.0, 1 thread` */
  readonly engine: string;
  /** Does it once, to the end; its own times if it lives in another process. */
  run(): Promise<OwnTiming | undefined>;
  /** The result of the task, row-major. */
  result(): Promise<Float32Array>;
  dispose(): void | Promise<void>;
}

/** Another library that does such work. */
export interface Peer {
  /** `onnxruntime-node`, `PyTorch, 1 thread` */
  readonly name: string;
  /** The work, or why this peer does not do it. */
  prepare(task: PeerTask): Promise<PeerWork | Absent>;
  dispose(): void | Promise<void>;
}
