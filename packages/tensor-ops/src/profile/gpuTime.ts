import * as tf from '@tensorflow/tfjs-core';
import { webgpuBackend } from '../webgpu/backend.ts';
import { awaitDevice } from '../webgpu/settle.ts';

/**
 * Milliseconds that the GPU computes for what `action` dispatches: the sum over all of its programs, ours included, each
 * between two timestamps of the GPU, without the gaps between them and without moving data. Taking them ends the batching of
 * programs, so take wall times in another run.
 *
 * Browsers round timestamps (Chrome to 0.1 ms, unless its flag for WebGPU developers is set), so that short work must be
 * done many times in one action. `setupBackend` asks for exact ones.
 *
 * @param action hands over the work; synchronous
 * @returns undefined where the GPU in use gives no timestamps, and on backends without a GPU
 */
export async function gpuTime(action: () => void): Promise<number | undefined> {
  if (!hasTimestamps()) return undefined;
  const timed = tf.time(action);
  const { kernelMs } = await (tf.getBackend() === 'webgpu' ? awaitDevice(webgpuBackend().device, timed) : timed);
  return typeof kernelMs === 'number' ? kernelMs : undefined;
}

/** Elsewhere tfjs would give zeros, or wall times. */
function hasTimestamps(): boolean {
  switch (tf.getBackend()) {
    case 'webgpu':
      return webgpuBackend().device.features.has('timestamp-query');
    case 'webgl':
      return tf.env().getBool('WEBGL_DISJOINT_QUERY_TIMER_EXTENSION_RELIABLE');
    default:
      return false;
  }
}
