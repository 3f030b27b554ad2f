import type { SoftwareDriver } from './vulkan.ts';

/** The backends that Saccade is tested on. */
export type BackendName = 'wasm' | 'cpu' | 'webgpu';

export interface BackendOptions {
  /**
   * `webgpu` only: where to take a Vulkan driver that runs on the processor when this machine's own driver gives no
   * adapter. Called only then. Without it, no adapter means a `BackendError`.
   */
  readonly softwareDriver?: () => Promise<SoftwareDriver>;
}

/** The GPU behind the webgpu backend. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** The "GPU" is the processor: right results, but no statement about speed. */
  readonly software: boolean;
}

/** A backend that is in use. */
export interface BackendInfo {
  readonly name: BackendName;
  /** `webgpu` only. */
  readonly adapter?: AdapterInfo;
  /** What the backend can do beyond the least: `simd` (wasm), the GPU device's features (webgpu). */
  readonly features: readonly string[];
  /**
   * Errors that the GPU reported since the last call. WebGPU does not throw for a wrong shader or binding: the result is
   * garbage, and this is the only witness. Waits for the GPU. Always empty on `cpu` and `wasm`.
   */
  takeErrors(): Promise<readonly string[]>;
  /** Frees the backend and every tensor on it. A later `setupBackend` starts it afresh. */
  dispose(): void;
}
