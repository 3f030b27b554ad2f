import * as tf from '@tensorflow/tfjs-core';
import { depthwiseTokens } from './depthwiseTokens.ts';
import { depthwiseTokensFilter } from './depthwiseTokensFilter.ts';
import { depthwiseTokensInput } from './depthwiseTokensInput.ts';
import { axisGates, maxMean, maxMeanGrad, planeConv3d } from './gates.ts';
import { maxPoolGrad } from './maxPoolGrad.ts';
import { temporalShift } from './temporalShift.ts';

/** Our fused kernels for the webgpu backend; each computes what an explicit path of this package computes too. */
export const webgpuKernels: readonly tf.KernelConfig[] = [
  axisGates,
  depthwiseTokens,
  depthwiseTokensFilter,
  depthwiseTokensInput,
  maxMean,
  maxMeanGrad,
  maxPoolGrad,
  planeConv3d,
  temporalShift,
];

/** Registers the kernels, once. */
export function registerWebGPUKernels(): void {
  for (const kernel of webgpuKernels) {
    if (tf.getKernel(kernel.kernelName, kernel.backendName) === undefined) tf.registerKernel(kernel);
  }
}
