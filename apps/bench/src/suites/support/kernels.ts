import { kernelMode, SaccadeError, setKernelMode } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Why the backend in use has no kernel for `compute`, which is tried on a few numbers; nothing if it has. */
export function kernelRefusal(compute: () => tf.Tensor): string | undefined {
  const before = kernelMode();
  setKernelMode('fused');
  try {
    tf.dispose(tf.tidy(compute));
    return undefined;
  } catch (error) {
    if (!(error instanceof SaccadeError)) throw error;
    return error.message;
  } finally {
    setKernelMode(before);
  }
}
