import { webgpuBackend } from './backend.ts';

/** Bytes of GPU buffers that the webgpu backend holds. */
export interface WebGPUMemory {
  /** In buffers that belong to a live tensor or to a command not yet finished. */
  readonly bytesInUse: number;
  /** In all buffers, those included that wait in the pool for a tensor of exactly their size. */
  readonly bytesAllocated: number;
}

/**
 * What the webgpu backend holds on the GPU. The difference of the two numbers is its pool of free buffers, which tfjs
 * never shrinks: see {@link trimBufferPool}.
 *
 * @throws {BackendError} when the backend in use is not webgpu.
 */
export function webgpuMemory(): WebGPUMemory {
  const { numBytesUsed, numBytesAllocated } = webgpuBackend().bufferManager;
  return { bytesInUse: numBytesUsed, bytesAllocated: numBytesAllocated };
}

/**
 * Destroys the free buffers that tfjs keeps for tensors of the same size, and returns how many bytes that gave back.
 *
 * tfjs keys its pool by exact size and never frees: work on many different shapes (other image sizes, other batch
 * sizes) makes it grow without bound. Call this when the shapes change. Buffers in use are not touched.
 *
 * @throws {BackendError} when the backend in use is not webgpu.
 */
export function trimBufferPool(): number {
  const pool = webgpuBackend().bufferManager;
  let freed = 0;
  for (const buffers of pool.freeBuffers.values()) {
    for (const buffer of buffers) {
      freed += buffer.size;
      buffer.destroy();
    }
    // The (now empty) lists stay: an empty map makes tfjs ignore later releases.
    pool.numFreeBuffers -= buffers.length;
    buffers.length = 0;
  }
  pool.numBytesAllocated -= freed;
  return freed;
}
