import { LayerNorm, Module, ModuleList } from '@saccade/nn';
import { assertInteger, assertShape, ConfigError, product, Rng, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureInfo, IntermediatesOptions } from './Backbone.ts';
import { DgtBlock } from './dgtBlock.ts';
import { type DgtConfig, dgtGrids, leastSide, planDgt, type ResolvedDgt, resolveDgt } from './dgtConfig.ts';
import { DgtHead, DgtMerge, DgtStem } from './dgtLayers.ts';
import { markWeights } from './markWeights.ts';

/**
 * The Dynamic Group Transformer (DGT), a hierarchical backbone with a classifier, for images.
 *
 * Convolutional stem, then four stages of a merge and blocks: conditional position embedding, a token mixer, an inverted
 * residual feed-forward network. With DG-Attention in the first three stages and global attention in the last it is DGT-T,
 * -S or -B (`dgtConfig`); any other mixer can stand in any stage. Input: images [B, H, W, 3], normalised, of any size;
 * logits [B, classes]. State: `stem`, `merges.{s}`, `stages.{s}.{i}` ({@link DgtBlock}), `head`, and where configured
 * `norms.{s}` (LayerNorm, eps 1e-6, of each stage).
 *
 * Source: Dynamic Group Transformer, arXiv 2203.03937. This is a re-implementation from its abstract; the equations are not
 * verified against the paper, and no official code or weights are public.
 */
export class DynamicGroupTransformer extends Module {
  readonly config: ResolvedDgt;
  /** of each stage, in order */
  readonly featureInfo: readonly FeatureInfo[];
  readonly stem: DgtStem;
  readonly merges: ModuleList<DgtMerge>;
  readonly stages: ModuleList<ModuleList<DgtBlock>>;
  /** of each stage, in order; undefined unless the configuration has `stageNorms` */
  readonly norms: ModuleList<LayerNorm> | undefined;
  readonly head: DgtHead;

  /** @throws ConfigError for a configuration that cannot be built, and what a mixer throws; nothing is left behind */
  constructor(config: DgtConfig) {
    super();
    this.config = resolveDgt(config);
    this.featureInfo = describeFeatures(this.config);
    const { dims, stemDim, stemStrides, mergeKernel, inChannels, headWidth, numClasses, inputSize } = this.config;
    const rng = new Rng(this.config.seed);
    const grids = inputSize && dgtGrids(this.config, inputSize).stages;
    const freeNewWeights = markWeights();
    try {
      this.stem = this.child('stem', new DgtStem(inChannels, stemDim, { strides: stemStrides, rng: rng.fork('stem') }));
      const merges = dims.map((dim, s) => {
        return new DgtMerge(dims[s - 1] ?? stemDim, dim, { kernel: mergeKernel, rng: rng.fork(`merge${s}`) });
      });
      this.merges = this.child('merges', new ModuleList(merges));
      const { normOrder, zeroInitNorms, stageNorms } = this.config;
      const stages = planDgt(this.config).map(({ blocks, ...stage }, s) => {
        const grid = grids?.[s];
        const shared = { ...stage, normOrder, zeroInitNorms, ...(grid ? { grid } : {}) };
        return new ModuleList(
          blocks.map((block, i) => new DgtBlock({ ...shared, ...block, rng: rng.fork(`block${s}.${i}`) })),
        );
      });
      this.stages = this.child('stages', new ModuleList(stages));
      this.norms = stageNorms
        ? this.child('norms', new ModuleList(dims.map((dim) => new LayerNorm(dim, 1e-6))))
        : undefined;
      this.head = this.child('head', new DgtHead(this.#width, { width: headWidth, numClasses, rng: rng.fork('head') }));
    } catch (error) {
      freeNewWeights();
      throw error;
    }
  }

  /** Images [B, H, W, 3] -> logits [B, classes]. */
  forward(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => this.head.forward(this.forwardFeatures(x)));
  }

  /** Images -> what the classifier's last layer reads, [B, headWidth]. */
  forwardPooled(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => this.head.pool(this.forwardFeatures(x)));
  }

  /** Images -> the map of the last stage, [B, H', W', C]. */
  forwardFeatures(x: tf.Tensor): tf.Tensor4D {
    return tf.tidy(() => this.forwardIntermediates(x, [this.stages.items.length - 1])[0] as tf.Tensor4D);
  }

  /**
   * Images -> the maps of stages, [B, H', W', C] as `featureInfo` describes them.
   *
   * @param stages positions of stages, counted from 0, in the order in which the maps are wanted; default: all. Stages after
   * the last of them are not computed.
   * @param options.normalize every map through the LayerNorm of its stage; default false
   * @throws ShapeError for another input; ConfigError for a position that no stage has, or twice the same, and for
   * `normalize` without `stageNorms` in the configuration
   */
  forwardIntermediates(
    x: tf.Tensor,
    stages: readonly number[] = this.stages.items.map((_, s) => s),
    { normalize = false }: IntermediatesOptions = {},
  ): tf.Tensor4D[] {
    this.assertUsable();
    this.#assertInput(x);
    this.#assertStages(stages);
    const norms = this.norms?.items;
    if (normalize && !norms) {
      throw new ConfigError('normalize', 'false', normalize, 'Build the model with {stageNorms: true}.');
    }
    return tf.tidy(() => {
      const maps = new Map<number, tf.Tensor4D>();
      let map = this.stem.forward(x as tf.Tensor4D);
      const advance = (next: tf.Tensor4D) => {
        // Not at the end of the scope: the maps of large pictures are large.
        if (![...maps.values()].includes(map)) map.dispose();
        map = next;
      };
      for (const [s, blocks] of this.stages.items.slice(0, 1 + Math.max(-1, ...stages)).entries()) {
        advance((this.merges.items[s] as DgtMerge).forward(map));
        for (const block of blocks.items) advance(block.forward(map));
        if (stages.includes(s)) maps.set(s, map);
      }
      const chosen = stages.map((s) => maps.get(s) as tf.Tensor4D);
      return norms && normalize
        ? chosen.map((found, i) => (norms[stages[i] as number] as LayerNorm).forward(found))
        : chosen;
    });
  }

  /**
   * Puts a new, untrained last layer of `numClasses` classes in the place of the old one, which is freed.
   *
   * `config` goes on saying with how many classes the model was built.
   *
   * @throws ConfigError unless numClasses is a positive integer
   */
  resetClassifier(numClasses: number): void {
    this.assertUsable();
    assertInteger('numClasses', numClasses, 1);
    this.head.reset(numClasses, new Rng(this.config.seed).fork('head').fork('fc'));
  }

  /** Channels of the last stage. */
  get #width(): number {
    return this.config.dims.at(-1) as number;
  }

  #assertStages(stages: readonly number[]): void {
    const count = this.stages.items.length;
    const possible = stages.every((s) => Number.isSafeInteger(s) && s >= 0 && s < count);
    if (possible && new Set(stages).size === stages.length) return;
    throw new ConfigError('stages', `positions of stages, 0 to ${count - 1}, each once`, stages);
  }

  #assertInput(x: tf.Tensor): void {
    const hint = 'Channels come last; PyTorch inputs need a transpose. Clips are not taken.';
    assertShape('x', x, ['B', 'H', 'W', this.config.inChannels], hint);
    const [least, [height, width]] = [leastSide(this.config), x.shape.slice(1, 3) as [number, number]];
    if (Math.min(height, width) >= least) return;
    throw new ShapeError({
      argument: 'x',
      expected: `at least ${least}x${least} pixels, one position of the last stage`,
      actual: `${height}x${width}`,
    });
  }
}

/** Builds a Dynamic Group Transformer from its configuration: `createDgt(dgtConfig('t'))`. */
export function createDgt(config: DgtConfig): DynamicGroupTransformer {
  return new DynamicGroupTransformer(config);
}

function describeFeatures({ dims, stemStrides }: ResolvedDgt): FeatureInfo[] {
  return dims.map((dim, s) => ({
    name: `stage${s + 1}`,
    dim,
    stride: product(stemStrides) * 2 ** (s + 1),
    temporalStride: 1,
  }));
}
