import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from '../backendError.ts';

/**
 * The members of tfjs' `WebGPUBackend` that this folder uses. Several are not documented, and no other folder may touch
 * them: what must change when tfjs changes is here. A structural type instead of the class itself, so that
 * `@tensorflow/tfjs-backend-webgpu` stays an optional peer that only those import who run on it.
 */
export interface WebGPUBackendInternals {
  readonly device: GPUDevice;
  readonly bufferManager: {
    readonly numBytesUsed: number;
    numBytesAllocated: number;
    /** Free buffers by size and usage; private in tfjs. */
    readonly freeBuffers: Map<string, GPUBuffer[]>;
    numFreeBuffers: number;
  };
  makeTensorInfo(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  runWebGPUProgram(
    program: object,
    inputs: tf.TensorInfo[],
    outputDtype: tf.DataType,
    uniforms?: { type: string; data: number[] }[],
  ): tf.TensorInfo;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/**
 * The WebGPU backend, when it is the one in use.
 *
 * @throws {BackendError} when another backend is in use.
 */
export function webgpuBackend(): WebGPUBackendInternals {
  const name = tf.getBackend();
  if (name !== 'webgpu') {
    throw new BackendError(
      'webgpu',
      `this call needs it, but ${name ? `'${name}'` : 'no backend'} is in use. ` +
        "In Node: await setupBackend('webgpu'); in a browser: await tf.setBackend('webgpu')",
    );
  }
  return tf.backend() as unknown as WebGPUBackendInternals;
}

/**
 * The GPU device of the backend in use.
 *
 * @throws {BackendError} when the backend in use is not webgpu.
 */
export function webgpuDevice(): GPUDevice {
  return webgpuBackend().device;
}

/** Hands every recorded command to the GPU, without waiting for it. */
export function submitPending(backend: WebGPUBackendInternals): void {
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
}
