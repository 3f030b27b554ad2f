import * as tf from '@tensorflow/tfjs-core';
import { attention, attentionGrad } from './attention.ts';
import { depthwiseTokens, depthwiseTokensGradient } from './depthwiseTokens.ts';
import { dynamicGroups } from './dynamicGroups.ts';
import { fourierLines } from './fourierLines.ts';
import { axisGates, maxMean, maxMeanGrad, planeConv3d } from './gates.ts';
import { groupedAttention, groupedAttentionGrad } from './groupedAttention.ts';
import { maxPoolGrad } from './maxPoolGrad.ts';
import { temporalShift } from './temporalShift.ts';

/** Our fused kernels for the webgpu backend; each computes what an explicit path of this package computes too. */
const webgpuKernels: readonly tf.KernelConfig[] = [
  attention,
  attentionGrad,
  axisGates,
  depthwiseTokens,
  fourierLines,
  dynamicGroups,
  groupedAttention,
  groupedAttentionGrad,
  maxMean,
  maxMeanGrad,
  maxPoolGrad,
  planeConv3d,
  temporalShift,
];

/** The gradients of those that bring their own. */
const webgpuGradients: readonly tf.GradConfig[] = [depthwiseTokensGradient];

/** Registers the kernels and their gradients, once. */
export function registerWebGPUKernels(): void {
  for (const kernel of webgpuKernels) {
    if (tf.getKernel(kernel.kernelName, kernel.backendName) === undefined) tf.registerKernel(kernel);
  }
  for (const gradient of webgpuGradients) {
    if (tf.getGradient(gradient.kernelName) === undefined) tf.registerGradient(gradient);
  }
}
