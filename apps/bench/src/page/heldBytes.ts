import * as tf from '@tensorflow/tfjs-core';

/** Bytes that the backend in use holds, free ones in its pools included: neither the heap of wasm nor a pool ever shrinks. */
export function heldBytes(): number {
  const { wasm } = tf.backend() as { readonly wasm?: { readonly HEAPU8: Uint8Array } };
  // Each backend for GPUs has its own name for it.
  const { numBytesAllocatedInGPU = 0, numBytesInGPUAllocated = 0 } = tf.memory() as {
    readonly numBytesAllocatedInGPU?: number;
    readonly numBytesInGPUAllocated?: number;
  };
  return (wasm?.HEAPU8.byteLength ?? 0) + numBytesAllocatedInGPU + numBytesInGPUAllocated;
}
