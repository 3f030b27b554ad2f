import '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { BenchBackend, SuitePlace } from '../core/comparison.ts';
import { type BenchPeers, createBench, type OpenedBench } from './createBench.ts';

/** What only the page knows. */
export interface BrowserOptions extends BenchPeers {
  /** where the binaries of tfjs' wasm backend lie: a folder with its `/`, or the address of each file */
  readonly wasmPaths?: string | Readonly<Record<string, string>>;
}

/** What a backend says of itself. */
interface Started {
  readonly softwareGpu: boolean;
  readonly description: string;
  readonly features: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * Takes a backend into use in a browser, in a page or a worker: tfjs' own registration, with Saccade's kernels.
 *
 * @throws when this browser does not have the backend
 */
export async function openBench(place: SuitePlace, options: BrowserOptions = {}): Promise<OpenedBench> {
  const { backend, scale } = place;
  const { softwareGpu, description, features, versions } = await starters[backend](options);
  const bench = await createBench({ ...options, home: 'browser', backend, softwareGpu, scale });
  return {
    bench,
    device: { kind: 'device', backend, softwareGpu, description, features },
    versions: { browser: navigator.userAgent, tfjs: tf.version_core, ...versions },
    dispose: () => tf.removeBackend(backend),
  };
}

const starters: Readonly<Record<BenchBackend, (options: BrowserOptions) => Promise<Started>>> = {
  cpu: startCpu,
  wasm: startWasm,
  webgpu: startWebGPU,
  webgl: startWebGL,
};

async function startCpu(): Promise<Started> {
  const { version_cpu } = await import('@tensorflow/tfjs-backend-cpu');
  await use('cpu');
  return { ...noGpu('cpu', []), versions: { '@tensorflow/tfjs-backend-cpu': version_cpu } };
}

async function startWasm({ wasmPaths }: BrowserOptions): Promise<Started> {
  const { setWasmPaths, version_wasm } = await import('@tensorflow/tfjs-backend-wasm');
  await import('@saccade/tensor-ops/wasm');
  if (wasmPaths !== undefined) setWasmPaths(typeof wasmPaths === 'string' ? wasmPaths : { ...wasmPaths });
  // Our SIMD kernels cannot run on the shared memory of tfjs' build with threads, which isolated pages would get.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await use('wasm');
  const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return { ...noGpu('wasm', simd ? ['simd'] : []), versions: { '@tensorflow/tfjs-backend-wasm': version_wasm } };
}

async function startWebGPU(): Promise<Started> {
  const adapter = await globalThis.navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter == null) throw new Error('webgpu: this browser gives no adapter; choose another backend');
  await import('@tensorflow/tfjs-backend-webgpu');
  const { isSoftwareAdapter, webgpuDevice } = await import('@saccade/tensor-ops/webgpu');
  // Below 1,000 elements tfjs would silently run its JavaScript kernels instead of the GPU's.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  await use('webgpu');
  const { vendor, architecture, description } = adapter.info;
  return {
    softwareGpu: isSoftwareAdapter(adapter.info),
    // Most browsers keep the exact name of the GPU to themselves.
    description: description || `${vendor} ${architecture}`.trim() || 'GPU without a name',
    features: [...webgpuDevice().features].sort(),
    versions: { '@tensorflow/tfjs-backend-webgpu': tf.version_core },
  };
}

async function startWebGL(): Promise<Started> {
  const { MathBackendWebGL, version_webgl } = await import('@tensorflow/tfjs-backend-webgl');
  // As for webgpu, but below 128 elements.
  tf.env().set('WEBGL_CPU_FORWARD', false);
  await use('webgl');
  const backend = tf.backend();
  if (!(backend instanceof MathBackendWebGL)) throw new Error('webgl: tfjs gives another backend under this name');
  const renderer = rendererOf(backend.getGPGPUContext().gl);
  const timestamps = tf.env().getBool('WEBGL_DISJOINT_QUERY_TIMER_EXTENSION_RELIABLE');
  return {
    softwareGpu: /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer),
    description: renderer,
    features: [`webgl${tf.env().getNumber('WEBGL_VERSION')}`, ...(timestamps ? ['timer-query'] : [])],
    versions: { '@tensorflow/tfjs-backend-webgl': version_webgl },
  };
}

/** `ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)`; without the extension less. */
function rendererOf(gl: WebGLRenderingContext): string {
  const extension = gl.getExtension('WEBGL_debug_renderer_info');
  return String(gl.getParameter(extension?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
}

async function use(backend: BenchBackend): Promise<void> {
  if (!(await tf.setBackend(backend)))
    throw new Error(`${backend}: this browser cannot start it; choose another backend`);
}

function noGpu(backend: string, features: readonly string[]): Omit<Started, 'versions'> {
  const description = `processor (${[backend, ...features.map((feature) => feature.toUpperCase())].join(', ')})`;
  return { softwareGpu: false, description, features };
}
