import * as tf from '@tensorflow/tfjs-core';
import type { WebGPUBackendInternals } from './backend.ts';

/**
 * How many bytes of one tensor the programs of the backend in use may see: WebGPU's limit for a binding, and infinity on
 * backends that have none. For the main entry too: it brings nothing of the webgpu backend along.
 */
export function bindingLimit(): number {
  const { device } = tf.backend() as unknown as Partial<WebGPUBackendInternals>;
  return device?.limits.maxStorageBufferBindingSize ?? Number.POSITIVE_INFINITY;
}
