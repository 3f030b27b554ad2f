import type { FftPrimitives } from '../fft/primitives.ts';
import type { WasmBackend } from './backend.ts';
import { SIMD_MODULE_BASE64 } from './simd.generated.ts';

type Three = [number, number, number];
type Four = [...Three, number];

/** The functions of assembly/*.ts; pointers are bytes into the memory of tfjs' wasm backend. */
export interface SimdKernels extends FftPrimitives {
  /** bytes of scratch that the next one needs */
  matMulScratch(inner: number): number;
  batchMatMul(...[a, b, out, scratch, groups, rows, inner, columns]: [...Four, ...Four]): void;
  directMatMul(...[a, b, out, rows, inner, columns]: [...Three, ...Three]): void;
  gelu(x: number, y: number, count: number): void;
  geluGrad(dy: number, x: number, dx: number, count: number): void;
  layerNorm(...[x, gamma, beta, y, mean, inverseStd, rows, channels, eps]: [...Three, ...Three, ...Three]): void;
  addRowProducts(x: number, dy: number, sums: number, count: number, channels: number, stride: number): void;
  maxMean(x: number, max: number, mean: number, outer: number, length: number, inner: number): void;
  /** x, filter, out; planes, outputs, batch, a, b, c */
  planeConv3d(x: number, filter: number, out: number, ...sizes: number[]): void;
  /** x, dy, sums (float64); planes, outputs, batch, a, b, c */
  planeConv3dFilter(x: number, dy: number, sums: number, ...sizes: number[]): void;
  /** x, time, height, width, out; batch, frames, rows, columns, channels */
  axisGates(x: number, time: number, height: number, width: number, out: number, ...sizes: number[]): void;
  /** dy, x, time, height, width, dx, dTime, dHeight, dWidth; batch, frames, rows, columns, channels */
  axisGatesGrad(...pointersAndSizes: number[]): void;
  addTransposedProduct(x: number, dy: number, sums: number, rows: number, m: number, n: number): void;
  /** q, centroids (transposed), shifts, groups (int32), scratch; rows, groups, channels */
  assignRows(...pointersAndSizes: number[]): void;
  /** x, transposed; rows, channels, normalize (0 or 1) */
  transposeRows(...pointersAndSizes: number[]): void;
  /** scores, histogram, places (int32); length, k */
  selectLargest(...pointersAndSizes: number[]): void;
  /** floats of scratch that the next two need */
  groupScratch(keys: number, channels: number, gradient: number): number;
  /** q, k, v, order, keys, y, kept, scratch; queries, keys, channels, scale */
  attendGroup(...pointersAndSizes: number[]): void;
  /** dy, q, k, v, order, keys, y, kept, dq, dk, dv, scratch; queries, keys, channels, scale */
  attendGroupGrad(...pointersAndSizes: number[]): void;
  /** x, mean, variance; rows, channels */
  columnMoments(...pointersAndSizes: number[]): void;
  /** x, mean, inverseStd, gamma, beta, y; rows, channels */
  batchNorm(...pointersAndSizes: number[]): void;
  /** x, dy, mean, inverseStd, gamma, dx, dGamma, dBeta; rows, channels */
  batchNormGrad(...pointersAndSizes: number[]): void;
}

/** `BackendWasm` has its memory here; typed nowhere, since emscripten made it. */
interface Emscripten {
  readonly wasm: { readonly asm?: { readonly memory?: WebAssembly.Memory } };
}

const instances = new WeakMap<object, SimdKernels | undefined>();

/**
 * Our SIMD kernels on the backend's own memory, or undefined where they cannot run: on an engine without SIMD, or on
 * tfjs' threaded build, whose memory is shared. Callers then take tfjs' kernels or plain loops, which give the same values.
 */
export function simdKernels(backend: WasmBackend): SimdKernels | undefined {
  if (!instances.has(backend)) instances.set(backend, instantiate((backend as unknown as Emscripten).wasm.asm?.memory));
  return instances.get(backend);
}

function instantiate(memory: WebAssembly.Memory | undefined): SimdKernels | undefined {
  const bytes = Uint8Array.from(atob(SIMD_MODULE_BASE64), (char) => char.charCodeAt(0));
  if (memory === undefined || !WebAssembly.validate(bytes)) return undefined;
  try {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    return instance.exports as unknown as SimdKernels;
  } catch (error) {
    if (error instanceof WebAssembly.LinkError) return undefined;
    throw error;
  }
}
