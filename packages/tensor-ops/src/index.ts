import './register.ts';

export { type AttentionOptions, attention, attentionWeights } from './attention.ts';
export { depthwiseConv2d, depthwiseConv3d } from './depthwiseConv.ts';
export { ConfigError, SaccadeError, ShapeError, type ShapeMismatch } from './errors.ts';
export { gelu } from './gelu.ts';
export { addBias, linear, matMul, mergeHeads, splitHeads, sumToShape, transposeLast } from './matMul.ts';
export {
  batchNormInference,
  batchNormTraining,
  type ChannelStatistics,
  channelStatistics,
  layerNorm,
} from './normalization.ts';
export { patchEmbed2d, patchEmbed3d, type TemporalPatch } from './patchEmbed.ts';
export { Rng } from './random.ts';
export { assertInteger, assertShape, formatShape, product, sizeAt } from './shape.ts';
export { stopGradient } from './stopGradient.ts';
export { type Forward, withGradient } from './withGradient.ts';
