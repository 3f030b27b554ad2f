import * as tf from '@tensorflow/tfjs-core';
import { webgpuBackend } from '../webgpu/backend.ts';
import { collectErrors, finishDevice, takeErrors } from '../webgpu/settle.ts';
import { finishWebgl } from './webgl.ts';

/**
 * Hands over what the backend in use has recorded, and waits until the device has done it. No tensor is read back, so this
 * is what to put before the second look at a clock.
 *
 * On `wasm` and `cpu` there is nothing to wait for.
 *
 * @returns the errors that a WebGPU device has reported since the last call: of a wrong shader or binding they are the only
 *   sign. On a backend that `setupBackend` did not make, those reported before the first call are unknown.
 */
export async function settle(): Promise<readonly string[]> {
  await finish();
  return tf.getBackend() === 'webgpu' ? takeErrors(webgpuBackend().device) : [];
}

/** The waiting alone: errors stay where they are. */
export async function finish(): Promise<void> {
  switch (tf.getBackend()) {
    case 'webgpu': {
      const backend = webgpuBackend();
      collectErrors(backend.device);
      return finishDevice(backend);
    }
    case 'webgl':
      return finishWebgl();
  }
}
