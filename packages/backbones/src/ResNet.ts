import {
  BatchNorm,
  type Conv2d,
  fanInUniform,
  type Initializer,
  Linear,
  MaxPool2d,
  Module,
  ModuleList,
} from '@saccade/nn';
import { assertInteger, assertShape, ConfigError, formatShape, Rng, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureInfo } from './Backbone.ts';
import { markWeights } from './markWeights.ts';
import { Bottleneck, convolution, type TemporalOptions } from './resnetBlock.ts';
import { EXPANSION, planStages, type ResNetConfig, type ResolvedResNet, resolveResNet } from './resnetConfig.ts';

/**
 * A residual network of bottlenecks (ResNet-50, -101, version 1.5) with a classifier, for images.
 *
 * Input: images [B, H, W, 3], normalised, of any size; logits [B, classes]. State, under torchvision's names: `conv1`,
 * `bn1`, `layer{s}.{i}` ({@link Bottleneck}), `fc`. Convolutions start by Kaiming's normal rule (fan-out), `fc` uniformly
 * with bound `1/sqrt(C)` and bias 0. Source: He et al., arXiv 1512.03385.
 *
 * With `temporal` its batch is of frames, [B*T, H, W, 3], between which the bottlenecks may exchange channels:
 * `ResNetVideo` is made of it.
 */
export class ResNet extends Module {
  readonly config: ResolvedResNet;
  /** of each stage, in order */
  readonly featureInfo: readonly FeatureInfo[];
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly maxpool: MaxPool2d | undefined;
  readonly stages: readonly ModuleList<Bottleneck>[];
  readonly #frames: number;
  #fc: Linear | undefined;

  /** @throws ConfigError for a configuration that cannot be built, and what a gate throws; nothing is left behind */
  constructor(config: ResNetConfig, temporal: TemporalOptions = { frames: 1 }) {
    super();
    this.config = resolveResNet(config);
    this.#frames = temporal.frames;
    this.featureInfo = describeFeatures(this.config);
    const { width, stem, inChannels, numClasses, gate, seed } = this.config;
    const rng = new Rng(seed);
    const freeNewWeights = markWeights();
    try {
      this.conv1 = this.child('conv1', convolution(inChannels, width, stem.kernel, stem.stride, rng.fork('stem')));
      this.bn1 = this.child('bn1', new BatchNorm(width));
      this.maxpool = stem.pool ? this.child('maxpool', new MaxPool2d({ size: 3, stride: 2, padding: 1 })) : undefined;
      this.stages = planStages(this.config).map((plans, s) => {
        const blocks = plans.map(({ inserts, ...plan }, i) => {
          const own = rng.fork(`block${s}.${i}`);
          return new Bottleneck({ ...plan, ...(inserts ? { temporal, gate } : {}), rng: own });
        });
        return this.child(`layer${s + 1}`, new ModuleList(blocks));
      });
      if (numClasses > 0) this.#fc = this.child('fc', this.#classifier(numClasses));
    } catch (error) {
      freeNewWeights();
      throw error;
    }
  }

  /** The classifier; undefined if the network was built with `numClasses: 0`. */
  get fc(): Linear | undefined {
    return this.#fc;
  }

  /** Images [B, H, W, 3] -> logits [B, classes], or without a classifier {@link forwardPooled}. */
  forward(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const pooled = this.forwardPooled(x);
      return this.#fc ? this.#fc.forward(pooled) : pooled;
    });
  }

  /** Images -> the mean over all positions of {@link forwardFeatures}, [B, C]. */
  forwardPooled(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const features = this.forwardFeatures(x);
      const [batch, height, width, channels] = features.shape;
      return tf.mean(tf.reshape(features, [batch, height * width, channels]), 1) as tf.Tensor2D;
    });
  }

  /** Images -> the map of the last stage, [B, H', W', C]. */
  forwardFeatures(x: tf.Tensor): tf.Tensor4D {
    return tf.tidy(() => this.forwardIntermediates(x, [this.stages.length - 1])[0] as tf.Tensor4D);
  }

  /**
   * Images -> the maps of stages, [B, H', W', C] as `featureInfo` describes them.
   *
   * @param stages positions of stages, counted from 0; default: all. Stages after the last of them are not computed.
   * @throws ShapeError for another input, ConfigError for a position that no stage has
   */
  forwardIntermediates(x: tf.Tensor, stages: readonly number[] = this.stages.map((_, s) => s)): tf.Tensor4D[] {
    this.assertUsable();
    this.#assertInput(x);
    assertStages(stages, this.stages.length);
    return tf.tidy(() => {
      const maps = new Map<number, tf.Tensor4D>();
      let map = this.forwardStem(x);
      for (const [s, stage] of this.stages.slice(0, 1 + Math.max(-1, ...stages)).entries()) {
        for (const block of stage.items) {
          const next = block.forward(map);
          // Not at the end of the scope: the maps of clips are large.
          if (![...maps.values()].includes(map)) map.dispose();
          map = next;
        }
        if (stages.includes(s)) maps.set(s, map);
      }
      return stages.map((s) => maps.get(s) as tf.Tensor4D);
    });
  }

  /** Images -> the map that enters the first stage. */
  forwardStem(x: tf.Tensor): tf.Tensor4D {
    return tf.tidy(() => {
      const map = tf.relu(this.bn1.forward(this.conv1.forward(x as tf.Tensor4D)));
      return this.maxpool ? this.maxpool.forward(map) : map;
    });
  }

  /**
   * Puts a new, untrained classifier of `numClasses` classes in the place of the old one, which is freed.
   *
   * `config` goes on saying with how many classes the network was built.
   *
   * @param init first values of its weight; default as `fc` starts
   * @throws ConfigError unless numClasses is a positive integer
   */
  resetClassifier(numClasses: number, init?: Initializer): void {
    this.assertUsable();
    assertInteger('numClasses', numClasses, 1);
    this.#fc?.dispose();
    this.#fc = this.child('fc', this.#classifier(numClasses, init).train(this.training));
  }

  #classifier(numClasses: number, init?: Initializer): Linear {
    const { dim } = this.featureInfo.at(-1) as FeatureInfo;
    const rng = new Rng(this.config.seed).fork('fc');
    return new Linear(dim, numClasses, { init: init ?? fanInUniform(rng, dim), rng });
  }

  #assertInput(x: tf.Tensor): void {
    const pattern = ['B', 'H', 'W', this.config.inChannels];
    assertShape('x', x, pattern, 'Channels come last; PyTorch inputs need a transpose.');
    if ((x.shape[0] as number) % this.#frames !== 0) {
      throw new ShapeError({
        argument: 'x',
        expected: `whole clips, a batch that ${this.#frames} frames divide`,
        actual: formatShape(x.shape),
      });
    }
  }
}

/** Builds a network from its configuration: `createResNet({depths: [3, 4, 6, 3]})`. */
export function createResNet(config: ResNetConfig): ResNet {
  return new ResNet(config);
}

/** @throws ConfigError unless all `stages` are positions of `count` stages, each once */
function assertStages(stages: readonly number[], count: number): void {
  const possible = stages.every((s) => Number.isSafeInteger(s) && s >= 0 && s < count);
  if (possible && new Set(stages).size === stages.length) return;
  throw new ConfigError('stages', `positions of stages, 0 to ${count - 1}, each once`, stages);
}

function describeFeatures({ depths, width, stem }: ResolvedResNet): FeatureInfo[] {
  return depths.map((_, s) => ({
    name: `stage${s + 1}`,
    dim: width * 2 ** s * EXPANSION,
    stride: stem.stride * (stem.pool ? 2 : 1) * 2 ** s,
    temporalStride: 1,
  }));
}
