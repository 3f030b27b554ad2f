import * as tf from '@tensorflow/tfjs-core';
import { kernelMode } from './kernelMode.ts';
import { registerCpuKernels } from './kernels/cpu/index.ts';
import { STRUCTURE_CORRELATION } from './kernels/names.ts';

/**
 * Whether `gridCorrelation` and its relatives, with the method `auto`, have a kernel for the whole of their work by fast
 * Fourier transforms on the backend in use (cpu, wasm), and the kernel mode lets them take it. Who has another way for small
 * grids chooses by this.
 */
export function hasFftCorrelation(): boolean {
  registerCpuKernels();
  return kernelMode() !== 'explicit' && tf.getKernel(STRUCTURE_CORRELATION, tf.getBackend()) !== undefined;
}
