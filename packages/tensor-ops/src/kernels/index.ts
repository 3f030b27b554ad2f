import * as tf from '@tensorflow/tfjs-core';
import { batchMatMul } from './wasm/batchMatMul.ts';
import { conv2DBackpropFilter } from './wasm/conv2dBackpropFilter.ts';
import { depthwiseConv2dBackpropFilter, depthwiseConv2dBackpropInput } from './wasm/depthwiseBackprop.ts';
import { unsortedSegmentSum } from './wasm/unsortedSegmentSum.ts';

/** Kernels that tfjs lacks on a backend, or has in a form too slow to use (REPAIRS.md). */
export const kernelTable: readonly tf.KernelConfig[] = [
  batchMatMul,
  conv2DBackpropFilter,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropInput,
  unsortedSegmentSum,
];

/** Registers the kernels that nobody registered yet; a backend that has its own, or gets it later, keeps it. */
export function registerMissingKernels(): void {
  for (const kernel of kernelTable) {
    if (tf.getKernel(kernel.kernelName, kernel.backendName) === undefined) tf.registerKernel(kernel);
  }
}
