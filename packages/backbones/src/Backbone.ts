import { BatchNorm, type FeatureMap, LayerNorm, Linear, Module, ModuleList, PatchEmbed } from '@saccade/nn';
import { assertInteger, assertShape, ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type Block, ConvBlock, MixerBlock } from './blocks.ts';
import {
  type BackboneConfig,
  blockMixers,
  dropPathRates,
  type ResolvedConfig,
  resolveConfig,
  stageGrids,
  stageHeads,
} from './config.ts';
import { ConvStem } from './convStem.ts';
import { markWeights } from './markWeights.ts';

/** What the features of a stage are like: maps [B, (T',) H', W', dim]. */
export interface FeatureInfo {
  /** `stage1`, ... */
  readonly name: string;
  /** channels */
  readonly dim: number;
  /** input pixels per position: H' = H / stride, W' = W / stride, rounded down (up where patches overlap) */
  readonly stride: number;
  /** input frames per position, T' about T / temporalStride; 1 for images */
  readonly temporalStride: number;
}

/** Cuts a map into patches, [B, (T,) H, W, I] -> [B, (T',) H', W', O]. */
export interface PatchEmbedding extends Module {
  forward<M extends FeatureMap>(x: M): M;
}

/** What a model with a token-labelling head gives: logits of the whole and of every position. */
export interface TokenLogits {
  /** [B, classes] */
  readonly logits: tf.Tensor2D;
  /** [B, N, classes], N positions of the last stage in row-major order */
  readonly aux: tf.Tensor3D;
}

/** Options of {@link Backbone.forwardIntermediates}. */
export interface IntermediatesOptions {
  /**
   * default false. With `stageNorms` in the configuration: every map through the LayerNorm of its stage. Without: the map
   * of the last stage through the final BatchNorm, as {@link Backbone.forwardFeatures}; the others have no norm
   */
  readonly normalize?: boolean;
}

/**
 * A hierarchical vision backbone with a classifier: stages of convolution or mixer blocks.
 *
 * UniFormer, StructViT and what you compose of other mixers are configurations of this one class. Input: images
 * [B, H, W, 3] or clips [B, T, H, W, 3], normalised; any size of at least one patch; logits [B, classes].
 * State, under UniFormer's names: `patch_embed{s}`, `blocks{s}.{i}`, `norm` (BatchNorm), `head`, and where configured
 * `aux_head` (token labelling) and `norm{s}` (LayerNorm, eps 1e-6, of each stage).
 */
export class Backbone extends Module {
  readonly config: ResolvedConfig;
  /** of each stage, in order */
  readonly featureInfo: readonly FeatureInfo[];
  readonly patchEmbeds: readonly PatchEmbedding[];
  readonly stages: readonly ModuleList<Block>[];
  /** of each stage, in order; none unless the configuration has `stageNorms` */
  readonly stageNorms: readonly LayerNorm[];
  readonly norm: BatchNorm;
  #head: Linear;
  #auxHead: Linear | undefined;

  /** @throws ConfigError for a configuration that cannot be built, and what a mixer throws; nothing is left behind */
  constructor(config: BackboneConfig) {
    super();
    this.config = resolveConfig(config);
    this.featureInfo = describeFeatures(this.config);
    const { gridRank, stages, inChannels, numClasses, mlpRatio, layerScale, stageNorms, seed } = this.config;
    const rng = new Rng(seed);
    const rates = dropPathRates(this.config);
    const { inputSize } = this.config;
    const grids = inputSize && stageGrids(inputSize, stages);
    const freeNewWeights = markWeights();
    try {
      this.patchEmbeds = stages.map(({ dim, patch }, s) => {
        const inputs = stages[s - 1]?.dim ?? inChannels;
        const { overlap, ...whole } = patch;
        const [halvings, own] = [Math.log2(patch.kernel[0] as number), rng.fork(`patch${s}`)];
        const embed = overlap
          ? new ConvStem(inputs, dim, { halvings, rng: own })
          : new PatchEmbed(inputs, dim, { ...whole, rng: own });
        return this.child<PatchEmbedding>(`patch_embed${s + 1}`, embed);
      });
      this.stages = stages.map((stage, s) => {
        const blocks = blockMixers(stage).map((mixer, i): Block => {
          const [dropPath, own] = [rates[s]?.[i] as number, rng.fork(`block${s}.${i}`)];
          const { dim, gate } = stage;
          const grid = grids?.[s];
          const place = { dim, heads: stageHeads(stage), gridRank, ...(grid ? { grid } : {}) };
          const shared = { ...place, mlpRatio, dropPath, gate, rng: own };
          return mixer ? new MixerBlock({ ...shared, mixer, layerScale }) : new ConvBlock(shared);
        });
        return this.child(`blocks${s + 1}`, new ModuleList(blocks));
      });
      this.stageNorms = (stageNorms ? stages : []).map(({ dim }, s) =>
        this.child(`norm${s + 1}`, new LayerNorm(dim, 1e-6)),
      );
      this.norm = this.child('norm', new BatchNorm(this.#width));
      this.#head = this.child('head', this.#classifier('head', numClasses));
      this.#auxHead = this.config.tokenLabelling
        ? this.child('aux_head', this.#classifier('aux_head', numClasses))
        : undefined;
    } catch (error) {
      freeNewWeights();
      throw error;
    }
  }

  /** The classifier. */
  get head(): Linear {
    return this.#head;
  }

  /** The classifier of every position; undefined unless the configuration has `tokenLabelling`. */
  get auxHead(): Linear | undefined {
    return this.#auxHead;
  }

  /**
   * Images [B, H, W, 3] or clips [B, T, H, W, 3] -> logits [B, classes].
   *
   * With a token-labelling head, in evaluation mode, `logits + 0.5 * max over positions of aux` of
   * {@link forwardTokenLogits}; in training mode the class logits alone.
   */
  forward(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      if (!this.#auxHead || this.training) return this.#head.forward(this.forwardPooled(x));
      const { logits, aux } = this.forwardTokenLogits(x);
      return tf.add(logits, tf.mul(tf.max(aux, 1), 0.5)) as tf.Tensor2D;
    });
  }

  /**
   * The input -> the logits of the whole, [B, classes], and of every position, [B, N, classes], apart: what a loss with
   * token labels is computed from. Both are Linear layers, of the mean and of each of the positions of
   * {@link forwardFeatures}. Source: the public code of UniFormer, after Jiang et al., arXiv 2104.10858.
   *
   * @throws ConfigError for a model without a token-labelling head
   */
  forwardTokenLogits(x: tf.Tensor): TokenLogits {
    const auxHead = this.#auxHead;
    if (!auxHead) {
      const hint = 'Build the model with {tokenLabelling: true}.';
      throw new ConfigError('tokenLabelling', 'a model with an aux_head', 'one without', hint);
    }
    return tf.tidy(() => {
      const tokens = rows(this.forwardFeatures(x));
      return { logits: this.#head.forward(tf.mean(tokens, 1) as tf.Tensor2D), aux: auxHead.forward(tokens) };
    });
  }

  /** The input -> the mean over all positions of {@link forwardFeatures}, [B, C]. */
  forwardPooled(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => tf.mean(rows(this.forwardFeatures(x)), 1) as tf.Tensor2D);
  }

  /** The input -> the map of the last stage through the final BatchNorm, [B, (T',) H', W', C]. */
  forwardFeatures(x: tf.Tensor): FeatureMap {
    return tf.tidy(() => this.norm.forward(this.forwardIntermediates(x, [this.stages.length - 1])[0] as FeatureMap));
  }

  /**
   * The input -> the maps of stages, [B, (T',) H', W', C] as `featureInfo` describes them.
   *
   * @param stages positions of stages, counted from 0, in the order in which the maps are wanted; default: all. Stages
   * after the last of them are not computed.
   * @throws ConfigError for a position that no stage has, or twice the same
   */
  forwardIntermediates(
    x: tf.Tensor,
    stages: readonly number[] = this.stages.map((_, s) => s),
    { normalize = false }: IntermediatesOptions = {},
  ): FeatureMap[] {
    this.assertUsable();
    this.#assertInput(x);
    this.#assertStages(stages);
    return tf.tidy(() => {
      const maps = new Map<number, FeatureMap>();
      let map = x as FeatureMap;
      for (const [s, stage] of this.stages.slice(0, 1 + Math.max(-1, ...stages)).entries()) {
        map = (this.patchEmbeds[s] as PatchEmbedding).forward(map);
        for (const block of stage.items) map = block.forward(map);
        maps.set(s, map);
      }
      return stages.map((s) =>
        normalize ? this.#normalized(maps.get(s) as FeatureMap, s) : (maps.get(s) as FeatureMap),
      );
    });
  }

  #normalized(map: FeatureMap, stage: number): FeatureMap {
    const last = stage === this.stages.length - 1;
    return this.stageNorms[stage]?.forward(map) ?? (last ? this.norm.forward(map) : map);
  }

  /**
   * Puts a new, untrained classifier of `numClasses` classes in the place of the old one, which is freed; the
   * token-labelling head, where there is one, with it.
   *
   * `config` goes on saying with how many classes the model was built.
   *
   * @throws ConfigError unless numClasses is a positive integer
   */
  resetClassifier(numClasses: number): void {
    this.assertUsable();
    assertInteger('numClasses', numClasses, 1);
    this.#head.dispose();
    this.#head = this.child('head', this.#classifier('head', numClasses).train(this.training));
    if (!this.#auxHead) return;
    this.#auxHead.dispose();
    this.#auxHead = this.child('aux_head', this.#classifier('aux_head', numClasses).train(this.training));
  }

  #classifier(name: string, numClasses: number): Linear {
    return new Linear(this.#width, numClasses, { rng: new Rng(this.config.seed).fork(name) });
  }

  /** Channels of the last stage. */
  get #width(): number {
    return (this.featureInfo.at(-1) as FeatureInfo).dim;
  }

  #assertStages(stages: readonly number[]): void {
    const count = this.stages.length;
    const possible = stages.every((s) => Number.isSafeInteger(s) && s >= 0 && s < count);
    if (possible && new Set(stages).size === stages.length) return;
    throw new ConfigError('stages', `positions of stages, 0 to ${count - 1}, each once`, stages);
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

/** A map [B, (T',) H', W', C] as tokens [B, N, C]. */
function rows(map: FeatureMap): tf.Tensor3D {
  return tf.reshape(map, [map.shape[0], -1, map.shape.at(-1) as number]);
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
