import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from '../backendError.ts';
import '../register.ts';
import '../wasm.ts';
import '../webgpu/index.ts';
import type { BackendInfo, BackendName, BackendOptions } from './backendInfo.ts';
import { setupCpu } from './cpu.ts';
import { setupWasm } from './wasm.ts';
import { setupWebGPU } from './webgpu.ts';

const setups = { cpu: setupCpu, wasm: setupWasm, webgpu: setupWebGPU } as const;
const active = new Map<BackendName, BackendInfo>();

/**
 * Sets up a backend of TensorFlow.js in Node and takes it into use: what every test, example and command calls first.
 *
 * | name | what it is | needs |
 * |---|---|---|
 * | `wasm` (default) | XNNPACK on the processor, with SIMD; fastest without a GPU, for training too | `@tensorflow/tfjs-backend-wasm` |
 * | `cpu` | plain JavaScript; slow | `@tensorflow/tfjs-backend-cpu` |
 * | `webgpu` | the GPU through Dawn | `@tensorflow/tfjs-backend-webgpu`, `webgpu`, on Linux a Vulkan driver |
 *
 * Also registers the gradients and kernels that tfjs lacks (what importing `@saccade/tensor-ops` does). Calling it again
 * with the same name goes back to the backend that is already set up.
 *
 * @throws {BackendError} for an unknown name, a package that is not installed, or a machine without a usable GPU.
 */
export async function setupBackend(name: BackendName = 'wasm', options: BackendOptions = {}): Promise<BackendInfo> {
  const setup = setups[name];
  if (setup === undefined) {
    throw new BackendError(name, `there is no such backend; choose one of ${Object.keys(setups).join(', ')}`);
  }
  const known = active.get(name);
  if (known !== undefined && tf.findBackend(name) !== null) {
    await tf.setBackend(name);
    return known;
  }
  const started = await setup(options);
  const info: BackendInfo = {
    ...started,
    dispose() {
      if (active.get(name) !== info) return;
      active.delete(name);
      started.dispose();
    },
  };
  active.set(name, info);
  return info;
}
