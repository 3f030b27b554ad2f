export { Conv2d, type Conv2dLayerOptions } from './Conv2d.ts';
export { CosineSelfAttention, cosineAttention, cosineOperands } from './CosineSelfAttention.ts';
export {
  DepthwiseConv,
  type DepthwiseConvOptions,
  type FeatureMap,
  PatchEmbed,
  type PatchEmbedOptions,
} from './convolution.ts';
export { type ConvShape, type Cost, convCost, depthwiseCost, linearCost, normCost, sequence } from './cost.ts';
export { Dropout } from './Dropout.ts';
export { DropPath } from './DropPath.ts';
export type { FeatureGate, FeatureGateSpec, GateContext, GateCostContext } from './featureGate.ts';
export { assertGrid, assertTokens, type Grid, gridTokens, stridedGrid } from './grid.ts';
export {
  constant,
  fanInUniform,
  type Initializer,
  kaimingNormal,
  normal,
  truncatedNormal,
  uniform,
  zeros,
} from './initializers.ts';
export { Linear, type LinearOptions, Pointwise, type PointwiseOptions } from './Linear.ts';
export {
  convLayout,
  depthwiseLayout,
  identityLayout,
  linearLayout,
  pointwiseLayout,
  type WeightLayout,
} from './layout.ts';
export { MaxPool2d } from './MaxPool2d.ts';
export { Mlp, type MlpOptions } from './Mlp.ts';
export { Module, ModuleList, type OptimizerStep, type ParameterOptions, variables } from './Module.ts';
export type { MixerContext, MixerCostContext, MixerSpec, TokenMixer } from './mixer.ts';
export { BatchNorm, type BatchNormOptions, LayerNorm } from './normalization.ts';
export { Counter, Parameter, type StateEntry } from './parameter.ts';
export {
  assertHeads,
  plainAttention,
  SelfAttention,
  type SelfAttentionOptions,
  selfAttentionCost,
} from './SelfAttention.ts';
export { SqueezeExcitation, type SqueezeExcitationOptions, squeezeExcitation } from './SqueezeExcitation.ts';
export {
  type LoadReport,
  type SavedTensor,
  type ShapeConflict,
  type StateDict,
  StateDictError,
  type StateTensor,
} from './stateDict.ts';
export { mergeWindows, partitionWindows, WindowedMixer, type WindowSize, windowed } from './windowed.ts';
