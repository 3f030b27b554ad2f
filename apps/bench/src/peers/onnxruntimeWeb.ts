import type { Absent, SuitePlace } from '../core/comparison.ts';
import { absentPackage, onnxPeer } from './onnxPeer.ts';
import { skippedOnSoftware, type VersionedPeer } from './versionedPeer.ts';

// onnxruntime-web finds its wasm file by `new URL('ort-wasm-...wasm', import.meta.url)` within its own modules. Node resolves
// that by itself. Vite does too when it builds (the file becomes an asset), in a worker with `worker: { format: 'es' }`; its
// development server must leave the package as it is: `optimizeDeps: { exclude: ['onnxruntime-web'] }`. One thread needs no
// cross-origin isolation.

const WASM = 'onnxruntime-web, wasm, 1 thread';
const WEBGPU = 'onnxruntime-web, webgpu';

/** onnxruntime-web on the processor, in one thread as our own wasm backend; goes with `wasm`, in both homes. */
export async function onnxruntimeWebWasm({ backend }: SuitePlace): Promise<VersionedPeer | Absent | undefined> {
  if (backend !== 'wasm') return undefined;
  try {
    const { env, InferenceSession, Tensor } = await import('onnxruntime-web/wasm');
    env.wasm.numThreads = 1;
    return onnxPeer({
      name: WASM,
      library: ['onnxruntime-web', String(env.versions.web)],
      means: 'wasm, 1 thread',
      runtime: { InferenceSession, Tensor },
      options: { executionProviders: ['wasm'], graphOptimizationLevel: 'all' },
    });
  } catch (error) {
    return absentPackage(WASM, 'onnxruntime-web', error);
  }
}

/** onnxruntime-web on the GPU; goes with `webgpu`. Tensors stay there, as those of our own contenders do. */
export async function onnxruntimeWebGpu(place: SuitePlace): Promise<VersionedPeer | Absent | undefined> {
  if (place.backend !== 'webgpu') return undefined;
  if (place.home === 'node') {
    const reason = "its GPU build needs a browser: its memory is shared, which WebGPU's queues in Node do not take";
    return { name: WEBGPU, reason };
  }
  if (place.softwareGpu) return skippedOnSoftware(WEBGPU);
  try {
    const { env, InferenceSession, Tensor } = await import('onnxruntime-web/webgpu');
    env.wasm.numThreads = 1;
    return onnxPeer({
      name: WEBGPU,
      library: ['onnxruntime-web', String(env.versions.web)],
      means: 'webgpu',
      runtime: { InferenceSession, Tensor },
      options: { executionProviders: ['webgpu'], graphOptimizationLevel: 'all' },
      device: () => env.webgpu.device as Promise<GPUDevice>,
    });
  } catch (error) {
    return absentPackage(WEBGPU, 'onnxruntime-web', error);
  }
}
