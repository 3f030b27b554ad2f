import { Dropout, Linear, Module, normal } from '@saccade/nn';
import { assertInteger, assertShape, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FeatureInfo } from './Backbone.ts';
import { markWeights } from './markWeights.ts';
import { ResNet } from './ResNet.ts';
import { type ResNetVideoConfig, type ResolvedResNetVideo, resolveResNetVideo } from './resnetConfig.ts';

/** Standard deviation of a new classifier's weights. */
const HEAD_STD = 0.001;

/**
 * A ResNet on the frames of clips: TSN (every frame for itself until the logits) or TSM (bottlenecks shift channels between
 * neighbouring frames), with gates that see the whole clip. The logits of a clip are the mean of those of its frames.
 *
 * Input: clips [B, T, H, W, 3], normalised, of any height and width; logits [B, classes]. State, under the names of TSM's
 * and AIA's public code: `base_model.*` (`ResNet`), `new_fc`; without dropout the classifier is `base_model.fc`, as there.
 * It starts normal with std 0.001, bias 0. Sources: Wang et al., TSN, arXiv 1608.00859; Lin et al., TSM, arXiv 1811.08383.
 */
export class ResNetVideo extends Module {
  readonly config: ResolvedResNetVideo;
  /** of each stage, in order */
  readonly featureInfo: readonly FeatureInfo[];
  readonly baseModel: ResNet;
  readonly #dropout: Dropout;
  #newFc: Linear | undefined;

  /** @throws ConfigError for a configuration that cannot be built, and what a gate throws; nothing is left behind */
  constructor(config: ResNetVideoConfig) {
    super();
    this.config = resolveResNetVideo(config);
    const { frames, shiftDiv, dropout, numClasses, seed, ...network } = this.config;
    const freeNewWeights = markWeights();
    try {
      const base = new ResNet({ ...network, numClasses: 0, seed }, { frames, shiftDiv });
      this.baseModel = this.child('base_model', base);
      this.featureInfo = base.featureInfo;
      this.#dropout = this.child('dropout', new Dropout(dropout, new Rng(seed).fork('dropout')));
      this.#setClassifier(numClasses);
    } catch (error) {
      freeNewWeights();
      throw error;
    }
  }

  /** The classifier: `new_fc`, or `base_model.fc` without dropout. */
  get head(): Linear {
    return (this.#newFc ?? this.baseModel.fc) as Linear;
  }

  /** Clips [B, T, H, W, 3] -> logits [B, classes]: the mean of {@link forwardFrames}. */
  forward(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => tf.mean(this.forwardFrames(x), 1) as tf.Tensor2D);
  }

  /** Clips -> the logits of every frame, [B, T, classes]. */
  forwardFrames(x: tf.Tensor): tf.Tensor3D {
    return tf.tidy(() => {
      const pooled = this.#dropout.forward(this.baseModel.forwardPooled(this.#frames(x)));
      const logits = this.head.forward(pooled);
      return tf.reshape(logits, [-1, this.config.frames, logits.shape[1]]);
    });
  }

  /** Clips -> the mean over all frames and positions of {@link forwardFeatures}, [B, C]. */
  forwardPooled(x: tf.Tensor): tf.Tensor2D {
    return tf.tidy(() => {
      const pooled = this.baseModel.forwardPooled(this.#frames(x));
      return tf.mean(
        tf.reshape(pooled, [pooled.shape[0] / this.config.frames, this.config.frames, -1]),
        1,
      ) as tf.Tensor2D;
    });
  }

  /** Clips -> the map of the last stage, [B, T, H', W', C]. */
  forwardFeatures(x: tf.Tensor): tf.Tensor5D {
    return this.forwardIntermediates(x, [this.featureInfo.length - 1])[0] as tf.Tensor5D;
  }

  /**
   * Clips -> the maps of stages, [B, T, H', W', C] as `featureInfo` describes them.
   *
   * @param stages positions of stages, counted from 0; default: all
   * @throws ShapeError for another input, ConfigError for a position that no stage has
   */
  forwardIntermediates(x: tf.Tensor, stages?: readonly number[]): tf.Tensor5D[] {
    return tf.tidy(() =>
      this.baseModel.forwardIntermediates(this.#frames(x), stages).map((map): tf.Tensor5D => {
        const [, height, width, channels] = map.shape;
        return tf.reshape(map, [-1, this.config.frames, height, width, channels]);
      }),
    );
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
    this.#newFc?.dispose();
    this.#setClassifier(numClasses);
  }

  #setClassifier(numClasses: number): void {
    const { dropout, seed } = this.config;
    const rng = new Rng(seed).fork('new_fc');
    const init = normal(rng, HEAD_STD);
    if (dropout === 0) {
      this.baseModel.resetClassifier(numClasses, init);
      return;
    }
    const { dim } = this.featureInfo.at(-1) as FeatureInfo;
    this.#newFc = this.child('new_fc', new Linear(dim, numClasses, { init, rng }).train(this.training));
  }

  /** The frames of clips as a batch, [B*T, H, W, 3]. */
  #frames(x: tf.Tensor): tf.Tensor4D {
    this.assertUsable();
    const { frames, inChannels } = this.config;
    const hint = `The model is for ${frames} frames of ${inChannels} channels; channels come last.`;
    assertShape('x', x, ['B', frames, 'H', 'W', inChannels], hint);
    const [batch, , height, width, channels] = x.shape as tf.Tensor5D['shape'];
    return tf.reshape(x, [batch * frames, height, width, channels]);
  }
}

/** Builds a model from its configuration: `createResNetVideo({depths: [3, 4, 6, 3], shiftDiv: 8, numClasses: 174})`. */
export function createResNetVideo(config: ResNetVideoConfig): ResNetVideo {
  return new ResNetVideo(config);
}
