import * as tf from '@tensorflow/tfjs-core';
import { axisGates, axisGatesGrad } from './wasm/axisGates.ts';
import { batchMatMul } from './wasm/batchMatMul.ts';
import { batchNorm, batchNormGrad, columnMoments } from './wasm/batchNorm.ts';
import { conv2DBackpropFilter } from './wasm/conv2dBackpropFilter.ts';
import { depthwiseConv2dBackpropFilter, depthwiseConv2dBackpropInput } from './wasm/depthwiseBackprop.ts';
import { dynamicGroups } from './wasm/dynamicGroups.ts';
import { gelu, geluGrad } from './wasm/gelu.ts';
import { gridCorrelationKernels } from './wasm/gridCorrelation.ts';
import { groupedAttention, groupedAttentionGrad } from './wasm/groupedAttention.ts';
import { layerNorm } from './wasm/layerNorm.ts';
import { maxMean, maxMeanGrad } from './wasm/maxMean.ts';
import { maxPoolGrad } from './wasm/maxPoolGrad.ts';
import { planeConv3d, planeConv3dFilter } from './wasm/planeConv3d.ts';
import { temporalShift } from './wasm/temporalShift.ts';
import { unsortedSegmentSum } from './wasm/unsortedSegmentSum.ts';

/** Kernels that tfjs lacks on a backend, or has in a form too slow to use (REPAIRS.md). */
export const kernelTable: readonly tf.KernelConfig[] = [
  axisGates,
  axisGatesGrad,
  batchMatMul,
  batchNorm,
  batchNormGrad,
  columnMoments,
  conv2DBackpropFilter,
  depthwiseConv2dBackpropFilter,
  depthwiseConv2dBackpropInput,
  dynamicGroups,
  gelu,
  geluGrad,
  groupedAttention,
  groupedAttentionGrad,
  ...gridCorrelationKernels,
  layerNorm,
  maxMean,
  maxMeanGrad,
  maxPoolGrad,
  planeConv3d,
  planeConv3dFilter,
  temporalShift,
  unsortedSegmentSum,
];

/** Registers the kernels that nobody registered yet; a backend that has its own, or gets it later, keeps it. */
export function registerMissingKernels(): void {
  for (const kernel of kernelTable) {
    if (tf.getKernel(kernel.kernelName, kernel.backendName) === undefined) tf.registerKernel(kernel);
  }
}
