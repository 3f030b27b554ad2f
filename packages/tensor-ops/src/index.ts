import './register.ts';

export { type AttentionOptions, attention, attentionWeights } from './attention.ts';
export { type AxisGates, scaleByAxisGates } from './axisGates.ts';
export { BackendError } from './backendError.ts';
export { type Conv2dOptions, conv2d } from './conv2d.ts';
export { hasFftCorrelation } from './correlationKernel.ts';
export { depthwiseConv2d, depthwiseConv3d } from './depthwiseConv.ts';
export {
  assertTokenFilter,
  type DepthwiseTokensOptions,
  depthwiseSets,
  depthwiseTokens,
  depthwiseTokensBatch,
} from './depthwiseTokens.ts';
export { detached } from './detached.ts';
export { type DynamicGroupsOptions, dynamicGroups, type GroupRouting } from './dynamicGroups.ts';
export { ConfigError, SaccadeError, ShapeError, type ShapeMismatch } from './errors.ts';
export { gelu } from './gelu.ts';
export { gridCorrelation, gridCorrelationPerChannel } from './gridCorrelation.ts';
export type {
  GridCorrelationMethod,
  GridCorrelationOptions,
  GridPadding,
} from './gridCorrelationProblem.ts';
export { type GroupedAttentionOptions, groupedAttention } from './groupedAttention.ts';
export { groupedAttentionWeights } from './groupedMask.ts';
export { type KernelMode, kernelMode, setKernelMode } from './kernelMode.ts';
export { l2Normalize } from './l2Normalize.ts';
export { addBias, linear, matMul, mergeHeads, splitHeads, sumToShape, transposeLast } from './matMul.ts';
export { maxMean } from './maxMean.ts';
export { type MaxPoolOptions, maxPool2d } from './maxPool.ts';
export {
  batchNormInference,
  batchNormTraining,
  type ChannelStatistics,
  channelStatistics,
  layerNorm,
} from './normalization.ts';
export { patchEmbed2d, patchEmbed3d, type TemporalPatch } from './patchEmbed.ts';
export { planeConv3d } from './planeConv3d.ts';
export { Rng } from './random.ts';
export { assertInteger, assertShape, formatShape, product, sizeAt } from './shape.ts';
export { stopGradient } from './stopGradient.ts';
export { structureCorrelation } from './structureCorrelation.ts';
export { type TemporalShiftOptions, temporalShift } from './temporalShift.ts';
export { type Forward, withGradient } from './withGradient.ts';
