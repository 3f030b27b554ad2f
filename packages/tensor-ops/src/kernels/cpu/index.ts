import * as tf from '@tensorflow/tfjs-core';
import { gridCorrelationKernels } from './gridCorrelation.ts';

/** Registers our kernels for the cpu backend, unless they are. */
export function registerCpuKernels(): void {
  for (const kernel of gridCorrelationKernels) {
    if (tf.getKernel(kernel.kernelName, kernel.backendName) === undefined) tf.registerKernel(kernel);
  }
}
