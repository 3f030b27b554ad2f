import type { Grid } from '@saccade/nn';
import type { BackboneConfig } from './config.ts';
import type { DgtConfig } from './dgtConfig.ts';
import type { PretrainedConfig } from './pretrained.ts';
import type { ResNetConfig, ResNetVideoConfig } from './resnetConfig.ts';
import type { VisionTransformerConfig } from './vitConfig.ts';

/**
 * What a named model is built from: hierarchical backbones have `stages`, Dynamic Group Transformers `dims`, ResNets
 * `depths` alone, vision transformers none of them.
 */
export type ModelConfig = BackboneConfig | DgtConfig | VisionTransformerConfig | ResNetConfig | ResNetVideoConfig;

/** A named model: its configuration, and the input that its published figures are for. */
export interface ModelEntry<Config extends ModelConfig = ModelConfig> {
  readonly config: () => Config;
  /** [H, W] or [T, H, W] */
  readonly input: Grid;
  readonly numClasses: number;
  readonly summary: string;
  readonly paper: string;
  /** how it was trained and is evaluated by those who published it; none for models of our own */
  readonly pretrained?: PretrainedConfig;
}
