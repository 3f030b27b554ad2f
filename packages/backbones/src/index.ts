export {
  Backbone,
  createBackbone,
  type FeatureInfo,
  type IntermediatesOptions,
  type PatchEmbedding,
  type TokenLogits,
} from './Backbone.ts';
export { type Block, type BlockOptions, ConvBlock, MixerBlock, type MixerBlockOptions } from './blocks.ts';
export { checkpoint, listCheckpoints } from './catalogue.ts';
export type { Checkpoint, ClipSampling } from './checkpoints.ts';
export type { BackboneConfig, PatchConfig, StageConfig, StagePatchConfig } from './config.ts';
export { ConvStem, type ConvStemOptions } from './convStem.ts';
export { backboneCost } from './cost.ts';
export { createDgt, DynamicGroupTransformer } from './DynamicGroupTransformer.ts';
export { type DeiTOptions, type DeiTSize, deitConfig } from './deit.ts';
export { type DenseOptions, denseConfig } from './dense.ts';
export { DgtBlock, type DgtBlockOptions, type NormOrder } from './dgtBlock.ts';
export type { DgtConfig } from './dgtConfig.ts';
export { dgtCost } from './dgtCost.ts';
export {
  ConditionalPositionEmbedding,
  DgtHead,
  type DgtHeadOptions,
  DgtMerge,
  type DgtMergeOptions,
  DgtStem,
  type DgtStemOptions,
  type MergeKernel,
} from './dgtLayers.ts';
export { type DgtOptions, type DgtSize, dgtConfig } from './dgtModels.ts';
export { type PicoDgtOptions, picoDgtConfig } from './dgtPico.ts';
export type { EvalTransformConfig } from './evalTransforms.ts';
export { inflateStateDict } from './inflate.ts';
export { InvertedResidualFfn, type InvertedResidualFfnOptions } from './invertedResidualFfn.ts';
export { type LisaBackboneOptions, type LisaVitOptions, lisaConfig, lisaVitConfig } from './lisaModels.ts';
export {
  type FetchCheckpointOptions,
  fetchCheckpoint,
  type LoadPretrainedOptions,
  loadPretrained,
  type Pretrained,
} from './loadPretrained.ts';
export {
  fitWeights,
  type LoadWeightsOptions,
  type LoadWeightsReport,
  loadWeights,
  type NamedTensors,
} from './loadWeights.ts';
export { LoadWeightsError } from './loadWeightsError.ts';
export type { ModelConfig } from './modelEntry.ts';
export {
  type CreateModelOptions,
  createModel,
  listModels,
  type ModelConfigOf,
  type ModelInfo,
  type ModelInfoOptions,
  type ModelOf,
  modelConfig,
  modelInfo,
} from './models.ts';
export { picoVideoConfig } from './pico.ts';
export { dropClassToken, type ResizePositionOptions, resizePositionEmbedding } from './positionEmbedding.ts';
export type { PretrainedConfig } from './pretrained.ts';
export { createResNet, ResNet } from './ResNet.ts';
export { createResNetVideo, ResNetVideo } from './ResNetVideo.ts';
export { Bottleneck, type BottleneckOptions, type TemporalOptions } from './resnetBlock.ts';
export type { ResNetConfig, ResNetStem, ResNetVideoConfig } from './resnetConfig.ts';
export { resnetCost, resnetVideoCost } from './resnetCost.ts';
export { toTsmKeys } from './resnetKeys.ts';
export { resnetVideoConfigOf, resnetVideoMetadata } from './resnetMetadata.ts';
export {
  picoTsmConfig,
  type ResNetOptions,
  type ResNetSize,
  type ResNetVideoOptions,
  resnetConfig,
  tsmConfig,
  tsnConfig,
} from './resnetModels.ts';
export {
  type FourStageOptions,
  fourStages,
  type UniFormerOptions,
  type UniFormerSize,
  uniformerConfig,
} from './uniformer.ts';
export { createVisionTransformer, VisionTransformer } from './VisionTransformer.ts';
export { TransformerBlock, type TransformerBlockOptions } from './vitBlock.ts';
export type { Pooling, VisionTransformerConfig } from './vitConfig.ts';
export { visionTransformerCost } from './vitCost.ts';
export { type WarmStart, type WarmStartOptions, warmStartFromUniFormer } from './warmStart.ts';
export { WarmStartError } from './warmStartError.ts';
