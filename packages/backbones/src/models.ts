import type { Cost, Grid } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { Backbone } from './Backbone.ts';
import type { BackboneConfig } from './config.ts';
import { backboneCost } from './cost.ts';
import { DynamicGroupTransformer } from './DynamicGroupTransformer.ts';
import { DEIT_MODELS } from './deit.ts';
import type { DgtConfig } from './dgtConfig.ts';
import { dgtCost } from './dgtCost.ts';
import { DGT_MODELS } from './dgtModels.ts';
import { LISA_MODELS } from './lisaModels.ts';
import type { ModelConfig, ModelEntry } from './modelEntry.ts';
import { namePattern } from './namePattern.ts';
import type { PretrainedConfig } from './pretrained.ts';
import { ResNet } from './ResNet.ts';
import { ResNetVideo } from './ResNetVideo.ts';
import type { ResNetConfig, ResNetVideoConfig } from './resnetConfig.ts';
import { resnetCost, resnetVideoCost } from './resnetCost.ts';
import { RESNET_MODELS } from './resnetModels.ts';
import { UNIFORMER_MODELS } from './uniformerModels.ts';
import { VisionTransformer } from './VisionTransformer.ts';
import type { VisionTransformerConfig } from './vitConfig.ts';
import { visionTransformerCost } from './vitCost.ts';

const MODELS: ReadonlyMap<string, ModelEntry> = new Map<string, ModelEntry>([
  ...DEIT_MODELS,
  ...DGT_MODELS,
  ...LISA_MODELS,
  ...RESNET_MODELS,
  ...UNIFORMER_MODELS,
]);

/** The names that {@link createModel} knows, sorted; `*` in the pattern stands for anything. */
export function listModels(pattern = '*'): string[] {
  return [...MODELS.keys()].filter(namePattern(pattern)).sort();
}

/** Options of {@link createModel}. */
export interface CreateModelOptions {
  /** default: that of the data set the paper trains on */
  readonly numClasses?: number;
  /** drop path rate; default: the paper's; not for ResNets */
  readonly dropPath?: number;
  /** seeds weights and drop path; default 0 */
  readonly seed?: number;
}

/** What {@link createModel} builds for a name, and from which configuration; any of them if the name is not known. */
type Built<Name extends string> = Name extends `${'deit' | 'lisa_vit'}_${string}`
  ? [VisionTransformer, VisionTransformerConfig]
  : Name extends `${'uniformer' | 'structvit' | 'lisa'}_${string}`
    ? [Backbone, BackboneConfig]
    : Name extends `resnet${number}`
      ? [ResNet, ResNetConfig]
      : Name extends `${'tsn' | 'tsm'}_${string}`
        ? [ResNetVideo, ResNetVideoConfig]
        : Name extends `dgt_${string}`
          ? [DynamicGroupTransformer, DgtConfig]
          : [VisionTransformer | Backbone | ResNet | ResNetVideo | DynamicGroupTransformer, ModelConfig];

/** What {@link createModel} builds for a name. */
export type ModelOf<Name extends string> = Built<Name>[0];

/** What {@link modelConfig} gives for a name. */
export type ModelConfigOf<Name extends string> = Built<Name>[1];

/**
 * Builds a named model with random weights: `createModel('structvit_s_4_1', {numClasses: 10})`.
 *
 * @throws ConfigError for an unknown name, with the names that are near
 */
export function createModel<Name extends string>(name: Name, options: CreateModelOptions = {}): ModelOf<Name> {
  return build(modelConfig<string>(name, options)) as ModelOf<Name>;
}

/** The configuration of a named model, to change and give to `createBackbone`, `createResNetVideo`, ... */
export function modelConfig<Name extends string>(name: Name, options: CreateModelOptions = {}): ModelConfigOf<Name> {
  const { config, numClasses } = findModel(name);
  const built = { ...config(), numClasses, ...options };
  if (isResNet(built) && options.dropPath) throw new ConfigError('dropPath', 'none for a ResNet', options.dropPath);
  return built as ModelConfigOf<Name>;
}

function isResNet(config: ModelConfig): config is ResNetConfig | ResNetVideoConfig {
  return 'depths' in config && !('dims' in config);
}

function build(config: ModelConfig): ModelOf<string> {
  if ('stages' in config) return new Backbone(config);
  if ('dims' in config) return new DynamicGroupTransformer(config);
  if (!('depths' in config)) return new VisionTransformer(config);
  return 'frames' in config ? new ResNetVideo(config) : new ResNet(config);
}

function costOf(config: ModelConfig, input: Grid): Cost {
  if ('stages' in config) return backboneCost(config, input);
  if ('dims' in config) return dgtCost(config, input);
  if (!('depths' in config)) return visionTransformerCost(config, input);
  // Of any number of frames: no weight depends on it.
  return 'frames' in config ? resnetVideoCost({ ...config, frames: input[0] }, input) : resnetCost(config, input);
}

/** A named model's facts. */
export interface ModelInfo extends Cost {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  /** [H, W] or [T, H, W] of the sample that `macs` and `activationBytes` are for */
  readonly input: Grid;
  readonly numClasses: number;
  /** preprocessing, licence and public files; undefined for models of our own */
  readonly pretrained: PretrainedConfig | undefined;
}

/** Options of {@link modelInfo}. */
export interface ModelInfoOptions {
  /** [H, W] or [T, H, W]; default: the paper's */
  readonly input?: Grid;
  readonly numClasses?: number;
}

/**
 * Parameters, MACs and activations of a named model, counted without building it.
 *
 * @throws ConfigError for an unknown name, or an input of another rank than the model's
 */
export function modelInfo(name: string, options: ModelInfoOptions = {}): ModelInfo {
  const entry = findModel(name);
  const { input = entry.input, numClasses = entry.numClasses } = options;
  const { summary, paper, pretrained } = entry;
  const cost = costOf({ ...entry.config(), numClasses }, input);
  return { name, summary, paper, input, numClasses, pretrained, ...cost };
}

function findModel(name: string): ModelEntry {
  const entry = MODELS.get(name);
  if (entry) return entry;
  const family = name.split('_', 1)[0] as string;
  const near = listModels(`${family}*`);
  const known = near.length > 0 ? near : listModels();
  throw new ConfigError('name', 'a model of listModels()', name, `Near: ${known.join(', ')}.`);
}
