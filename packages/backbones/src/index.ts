export { Backbone, createBackbone, type FeatureInfo } from './Backbone.ts';
export { type Block, type BlockOptions, ConvBlock, MixerBlock, type MixerBlockOptions } from './blocks.ts';
export type { BackboneConfig, PatchConfig, StageConfig } from './config.ts';
export { backboneCost } from './cost.ts';
export { inflateStateDict } from './inflate.ts';
export {
  type CreateModelOptions,
  createModel,
  listModels,
  type ModelInfo,
  type ModelInfoOptions,
  modelConfig,
  modelInfo,
} from './models.ts';
export { picoVideoConfig } from './pico.ts';
export {
  type FourStageOptions,
  fourStages,
  type UniFormerOptions,
  type UniFormerSize,
  uniformerConfig,
} from './uniformer.ts';
