import {
  type FeatureMap,
  type Grid,
  gridTokens,
  LayerNorm,
  Linear,
  Module,
  ModuleList,
  type Parameter,
  PatchEmbed,
  truncatedNormal,
} from '@saccade/nn';
import { addBias, assertInteger, assertShape, ConfigError, formatShape, Rng, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureInfo } from './Backbone.ts';
import { patchGrid } from './config.ts';
import { markWeights } from './markWeights.ts';
import { resamplePositions } from './positionEmbedding.ts';
import { TransformerBlock } from './vitBlock.ts';
import {
  type ResolvedVisionTransformerConfig,
  resolveVisionTransformer,
  type VisionTransformerConfig,
} from './vitConfig.ts';

/** Tokens [B, P + N, C] and the grid of the last N of them. */
interface Tokens {
  readonly tokens: tf.Tensor3D;
  readonly grid: Grid;
}

/**
 * An isotropic vision transformer with a classifier: patches, position embedding, blocks that are all alike, LayerNorm.
 *
 * DeiT, its StructSA variants and what you compose of other mixers are configurations of this one class. Input: images
 * [B, H, W, 3] or clips [B, T, H, W, 3], normalised; logits [B, classes]. The position embedding is learned for the grid of
 * `config.inputSize`; for inputs of another size it is resampled on the way (bicubic in space, linear in time).
 *
 * State, under the names of DeiT and timm: `cls_token` [1, 1, C] (with class token), `pos_embed` [1, P + N, C],
 * `patch_embed.proj`, `blocks.{i}`, `norm` (LayerNorm, eps 1e-6), `head`. With mean pooling there is no class token, and
 * the mean is taken over the tokens that `norm` gives (inferred: DeiT always has a class token).
 * Source: Dosovitskiy et al., arXiv 2010.11929; Touvron et al., arXiv 2012.12877, and its public code.
 */
export class VisionTransformer extends Module {
  readonly config: ResolvedVisionTransformerConfig;
  /** of each block, in order */
  readonly featureInfo: readonly FeatureInfo[];
  readonly clsToken: Parameter | undefined;
  readonly posEmbed: Parameter | undefined;
  readonly patchEmbed: PatchEmbed;
  readonly blocks: ModuleList<TransformerBlock>;
  readonly norm: LayerNorm;
  #head: Linear;

  /** @throws ConfigError for a configuration that cannot be built; nothing is left behind */
  constructor(config: VisionTransformerConfig) {
    super();
    this.config = resolveVisionTransformer(config);
    this.featureInfo = describeBlocks(this.config);
    const { gridRank, grid, prefixTokens, inChannels, patch, dim, numClasses, seed } = this.config;
    const rng = new Rng(seed);
    const vectors = (name: string, count: number) =>
      this.parameter(name, [1, count, dim], { init: truncatedNormal(rng.fork(name)) });
    const freeNewWeights = markWeights();
    try {
      this.clsToken = prefixTokens > 0 ? vectors('cls_token', prefixTokens) : undefined;
      this.posEmbed = this.config.positionEmbedding ? vectors('pos_embed', prefixTokens + gridTokens(grid)) : undefined;
      const embed = { ...patch, norm: false, rng: rng.fork('patch') };
      this.patchEmbed = this.child('patch_embed', new PatchEmbed(inChannels, dim, embed));
      const { headDim, mixers, qkvBias, mlpRatio, layerScale } = this.config;
      const shared = { dim, heads: dim / headDim, gridRank, grid, prefixTokens, qkvBias, mlpRatio, layerScale };
      const rates = dropPathRates(this.config);
      const blocks = mixers.map(
        (mixer, i) =>
          new TransformerBlock({ ...shared, mixer, dropPath: rates[i] as number, rng: rng.fork(`block${i}`) }),
      );
      this.blocks = this.child('blocks', new ModuleList(blocks));
      this.norm = this.child('norm', new LayerNorm(dim, 1e-6));
      this.#head = this.child('head', new Linear(dim, numClasses, { rng: rng.fork('head') }));
    } catch (error) {
      freeNewWeights();
      throw error;
    }
  }

  /** The classifier. */
  get head(): Linear {
    return this.#head;
  }

  /** Images [B, H, W, 3] or clips [B, T, H, W, 3] -> logits [B, classes]. */
  forward(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => this.#head.forward(this.forwardPooled(x)));
  }

  /** The input -> what the classifier reads, [B, C]: the normalised class token, or the mean of the normalised tokens. */
  forwardPooled(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const tokens = this.forwardTokens(x);
      if (this.config.pooling === 'mean') return tf.mean(tokens, 1) as tf.Tensor2D;
      return tf.squeeze(tf.slice(tokens, [0, 0, 0], [-1, 1, -1]), [1]) as tf.Tensor2D;
    });
  }

  /** The input -> all normalised tokens, [B, P + N, C]; the class token comes first where there is one. */
  forwardTokens(x: tf.Tensor): tf.Tensor3D {
    return tf.tidy(() => {
      return this.norm.forward(this.#walk(this.#embed(x)).tokens);
    });
  }

  /** The input -> the normalised tokens of the grid as a map, [B, (T',) H', W', C]. */
  forwardFeatures(x: tf.Tensor): FeatureMap {
    return tf.tidy(() => {
      const { tokens, grid } = this.#walk(this.#embed(x));
      return this.#map({ tokens: this.norm.forward(tokens), grid });
    });
  }

  /**
   * The input -> the maps after chosen blocks, [B, (T',) H', W', C] as `featureInfo` describes them, without class token.
   *
   * @param layers positions of blocks, counted from 0, in the order in which the maps are wanted; default: all. Blocks
   * after the last of them are not computed.
   * @param options.normalize every map through the final LayerNorm; default false
   * @throws ConfigError for a position that no block has, or twice the same
   */
  forwardIntermediates(
    x: tf.Tensor,
    layers: readonly number[] = this.blocks.items.map((_, i) => i),
    { normalize = false }: { readonly normalize?: boolean } = {},
  ): FeatureMap[] {
    this.#assertLayers(layers);
    return tf.tidy(() => {
      const maps = new Map<number, FeatureMap>();
      this.#walk(this.#embed(x), 1 + Math.max(-1, ...layers), ({ tokens, grid }, i) => {
        if (layers.includes(i))
          maps.set(i, this.#map({ tokens: normalize ? this.norm.forward(tokens) : tokens, grid }));
      });
      return layers.map((layer) => maps.get(layer) as FeatureMap);
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
    const head = new Linear(this.config.dim, numClasses, { rng: new Rng(this.config.seed).fork('head') });
    this.#head = this.child('head', head.train(this.training));
  }

  /** Patches, class token and position embedding. */
  #embed(x: tf.Tensor): Tokens {
    this.assertUsable();
    const grid = this.#gridOf(x);
    const { dim, prefixTokens, grid: learned } = this.config;
    const patches = tf.reshape(this.patchEmbed.forward(x as FeatureMap), [x.shape[0], -1, dim]) as tf.Tensor3D;
    const classes = this.clsToken && (tf.tile(this.clsToken.variable, [x.shape[0], 1, 1]) as tf.Tensor3D);
    const tokens = classes ? tf.concat([classes, patches], 1) : patches;
    if (!this.posEmbed) return { tokens, grid };
    const own = this.posEmbed.variable as tf.Tensor3D;
    const positions =
      formatShape(grid) === formatShape(learned) ? own : resamplePositions(own, learned, grid, prefixTokens);
    // As the bias of rows: its gradient is a sum over the batch, which is fast there on every backend.
    const rows = addBias(tf.reshape(tokens, [x.shape[0], -1]), tf.reshape(positions, [-1]) as tf.Tensor1D);
    return { tokens: tf.reshape(rows, tokens.shape), grid };
  }

  /** The tokens after the first `count` blocks; `visit` sees them after each. */
  #walk(
    { tokens, grid }: Tokens,
    count = this.blocks.items.length,
    visit?: (after: Tokens, i: number) => void,
  ): Tokens {
    for (const [i, block] of this.blocks.items.slice(0, count).entries()) {
      tokens = block.forward(tokens, grid);
      visit?.({ tokens, grid }, i);
    }
    return { tokens, grid };
  }

  #map({ tokens, grid }: Tokens): FeatureMap {
    const { prefixTokens, dim } = this.config;
    const own = prefixTokens === 0 ? tokens : tf.slice(tokens, [0, prefixTokens, 0], [-1, -1, -1]);
    return tf.reshape(own, [tokens.shape[0], ...grid, dim] as FeatureMap['shape']) as FeatureMap;
  }

  #assertLayers(layers: readonly number[]): void {
    const count = this.blocks.items.length;
    const possible = layers.every((i) => Number.isSafeInteger(i) && i >= 0 && i < count);
    if (possible && new Set(layers).size === layers.length) return;
    throw new ConfigError('layers', `positions of blocks, 0 to ${count - 1}, each once`, layers);
  }

  #gridOf(x: tf.Tensor): Grid {
    const { gridRank, inChannels, patch } = this.config;
    const pattern = gridRank === 3 ? ['B', 'T', 'H', 'W', inChannels] : ['B', 'H', 'W', inChannels];
    assertShape('x', x, pattern, 'Channels come last; PyTorch inputs need a transpose.');
    const size = x.shape.slice(1, -1);
    const grid = patchGrid(size as unknown as Grid, patch);
    if (grid.some((positions) => positions < 1)) {
      throw new ShapeError({
        argument: 'x',
        expected: `at least one patch of ${formatShape(patch.kernel)}`,
        actual: formatShape(size),
      });
    }
    return grid;
  }
}

/** Builds a vision transformer: `createVisionTransformer({gridRank: 2, inputSize: [224, 224], patch: {...}, ...})`. */
export function createVisionTransformer(config: VisionTransformerConfig): VisionTransformer {
  return new VisionTransformer(config);
}

/** linspace(0, rate, blocks) */
function dropPathRates({ depth, dropPath }: ResolvedVisionTransformerConfig): number[] {
  return Array.from({ length: depth }, (_, i) => (dropPath * i) / Math.max(1, depth - 1));
}

function describeBlocks({ depth, dim, patch }: ResolvedVisionTransformerConfig): FeatureInfo[] {
  return Array.from({ length: depth }, (_, i) => ({
    name: `block${i + 1}`,
    dim,
    stride: patch.kernel.at(-1) as number,
    temporalStride: patch.temporalStride ?? 1,
  }));
}
