import { BatchNorm, type FeatureMap, Linear, Module, ModuleList, PatchEmbed } from '@saccade/nn';
import { assertInteger, assertShape, Rng, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type Block, ConvBlock, MixerBlock } from './blocks.ts';
import { type BackboneConfig, dropPathRates, type ResolvedConfig, resolveConfig, stageHeads } from './config.ts';

/** What the features of a stage are like. */
export interface FeatureInfo {
  /** `stage1`, ... */
  readonly name: string;
  /** channels */
  readonly dim: number;
  /** input pixels per position */
  readonly stride: number;
  /** input frames per position; 1 for images */
  readonly temporalStride: number;
}

/**
 * A hierarchical vision backbone with a classifier: stages of convolution or mixer blocks.
 *
 * UniFormer, StructViT and what you compose of other mixers are configurations of this one class. Input: images
 * [B, H, W, 3] or clips [B, T, H, W, 3], normalised; any size of at least one patch; logits [B, classes].
 * State, under UniFormer's names: `patch_embed{s}`, `blocks{s}.{i}`, `norm` (BatchNorm), `head`.
 */
export class Backbone extends Module {
  readonly config: ResolvedConfig;
  /** of each stage, in order */
  readonly featureInfo: readonly FeatureInfo[];
  readonly patchEmbeds: readonly PatchEmbed[];
  readonly stages: readonly ModuleList<Block>[];
  readonly norm: BatchNorm;
  #head: Linear;

  /** @throws ConfigError for a configuration that cannot be built */
  constructor(config: BackboneConfig) {
    super();
    this.config = resolveConfig(config);
    const { gridRank, stages, inChannels, numClasses, mlpRatio, layerScale, seed } = this.config;
    const rng = new Rng(seed);
    const rates = dropPathRates(this.config);
    this.featureInfo = describeFeatures(this.config);
    this.patchEmbeds = stages.map(({ dim, patch }, s) => {
      const inputs = stages[s - 1]?.dim ?? inChannels;
      return this.child(`patch_embed${s + 1}`, new PatchEmbed(inputs, dim, { ...patch, rng: rng.fork(`patch${s}`) }));
    });
    this.stages = stages.map((stage, s) => {
      const { dim, mixer } = stage;
      const blocks = (rates[s] as number[]).map((dropPath, i): Block => {
        const shared = { dim, heads: stageHeads(stage), gridRank, mlpRatio, dropPath, rng: rng.fork(`block${s}.${i}`) };
        return mixer ? new MixerBlock({ ...shared, mixer, layerScale }) : new ConvBlock(shared);
      });
      return this.child(`blocks${s + 1}`, new ModuleList(blocks));
    });
    const width = (this.featureInfo.at(-1) as FeatureInfo).dim;
    this.norm = this.child('norm', new BatchNorm(width));
    this.#head = this.child('head', new Linear(width, numClasses, { rng: rng.fork('head') }));
  }

  /** The classifier. */
  get head(): Linear {
    return this.#head;
  }

  /** Images [B, H, W, 3] or clips [B, T, H, W, 3] -> logits [B, classes]. */
  forward(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => this.#head.forward(this.forwardPooled(x)));
  }

  /** The input -> the mean over all positions of {@link forwardFeatures}, [B, C]. */
  forwardPooled(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const features = this.forwardFeatures(x);
      const [batch, channels] = [features.shape[0], features.shape.at(-1) as number];
      return tf.mean(tf.reshape(features, [batch, -1, channels]), 1) as tf.Tensor2D;
    });
  }

  /** The input -> the normalised map of the last stage, [B, (T',) H', W', C]. */
  forwardFeatures(x: tf.Tensor): FeatureMap {
    return tf.tidy(() => this.norm.forward(this.forwardIntermediates(x).at(-1) as FeatureMap));
  }

  /** The input -> the map of every stage, as `featureInfo` describes them. */
  forwardIntermediates(x: tf.Tensor): FeatureMap[] {
    this.assertUsable();
    this.#assertInput(x);
    return tf.tidy(() => {
      const features: FeatureMap[] = [];
      let map = x as FeatureMap;
      this.stages.forEach((stage, s) => {
        map = (this.patchEmbeds[s] as PatchEmbed).forward(map);
        for (const block of stage.items) map = block.forward(map);
        features.push(map);
      });
      return features;
    });
  }

  /**
   * Puts a new, untrained classifier of `numClasses` classes in the place of the old one, which is freed.
   *
   * `config` goes on saying with how many classes the model was built.
   *
   * @throws ConfigError unless numClasses is a positive integer
   */
  resetClassifier(numClasses: number): void {
    this.assertUsable();
    assertInteger('numClasses', numClasses, 1);
    this.#head.dispose();
    const { dim } = this.featureInfo.at(-1) as FeatureInfo;
    const head = new Linear(dim, numClasses, { rng: new Rng(this.config.seed).fork('head') });
    this.#head = this.child('head', head.train(this.training));
  }

  #assertInput(x: tf.Tensor): void {
    const { gridRank, inChannels } = this.config;
    const pattern = gridRank === 3 ? ['B', 'T', 'H', 'W', inChannels] : ['B', 'H', 'W', inChannels];
    assertShape('x', x, pattern, 'Channels come last; PyTorch inputs need a transpose.');
    const { stride } = this.featureInfo.at(-1) as FeatureInfo;
    const [height, width] = x.shape.slice(-3, -1) as [number, number];
    if (Math.min(height, width) < stride) {
      throw new ShapeError({
        argument: 'x',
        expected: `at least ${stride}x${stride} pixels, one position of the last stage`,
        actual: `${height}x${width}`,
      });
    }
  }
}

/** Builds a backbone of your own: `createBackbone({gridRank: 2, stages: [{mixer: structSA(), dim: 64, ...}, ...]})`. */
export function createBackbone(config: BackboneConfig): Backbone {
  return new Backbone(config);
}

function describeFeatures({ stages }: ResolvedConfig): FeatureInfo[] {
  let stride = 1;
  let temporalStride = 1;
  return stages.map(({ dim, patch }, s) => {
    stride *= patch.kernel.at(-1) as number;
    temporalStride *= patch.temporalStride ?? 1;
    return { name: `stage${s + 1}`, dim, stride, temporalStride };
  });
}
