import type { FeatureGateSpec } from '@saccade/nn';
import { assertInteger, ConfigError } from '@saccade/tensor-ops';

/** The layers before the first stage: a convolution with padding of half its kernel, BatchNorm, ReLU, maybe a max pool. */
export interface ResNetStem {
  /** side of the convolution's filter, odd */
  readonly kernel: number;
  readonly stride: number;
  /** a max pool of 3x3 with stride 2 */
  readonly pool: boolean;
}

/** A residual network of bottlenecks, for images. */
export interface ResNetConfig {
  /** bottlenecks of each stage: [3, 4, 6, 3] for ResNet-50 */
  readonly depths: readonly number[];
  /** channels of the stem and planes of the first stage; each stage has twice the planes of the one before; default 64 */
  readonly width?: number;
  /** default: ImageNet's, 7x7 with stride 2 and a max pool */
  readonly stem?: ResNetStem;
  /** channels of the input; default 3 */
  readonly inChannels?: number;
  /** logits; 0 for a network without classifier, which gives its pooled features; default 1000 */
  readonly numClasses?: number;
  /** stands in the bottlenecks, before their second ReLU; default: none */
  readonly gate?: FeatureGateSpec;
  /**
   * Of each stage: every so many-th bottleneck, from the first on, has the gate (and the shift). Default: all, but every
   * second one in stages of 23 or more (the third of ResNet-101), as in AIA's public code. TSM's own ResNet-101 has them in
   * every second one of all stages: [2, 2, 2, 2].
   */
  readonly insertEvery?: readonly number[];
  /** seeds the weights; default 0 */
  readonly seed?: number;
}

/** A residual network on the frames of clips: TSN, and with a temporal shift TSM. */
export interface ResNetVideoConfig extends ResNetConfig {
  /** T, frames (segments) of a clip; default 8 */
  readonly frames?: number;
  /** one channel in so many comes from the next frame, as many from the one before (TSM: 8); default: none moves (TSN) */
  readonly shiftDiv?: number;
  /** rate at which pooled features are dropped before the classifier, in training mode; default 0.5 */
  readonly dropout?: number;
}

/** A {@link ResNetConfig} with its defaults filled in and its values checked. */
export type ResolvedResNet = Required<Omit<ResNetConfig, 'gate'>> & Pick<ResNetConfig, 'gate'>;

/** A {@link ResNetVideoConfig} with its defaults filled in and its values checked. */
export type ResolvedResNetVideo = ResolvedResNet &
  Required<Pick<ResNetVideoConfig, 'frames' | 'dropout'>> &
  Pick<ResNetVideoConfig, 'shiftDiv'>;

const IMAGENET_STEM: ResNetStem = { kernel: 7, stride: 2, pool: true };

/** Channels that leave a bottleneck over its planes. */
export const EXPANSION = 4;

/** @throws ConfigError for the first value that cannot be */
export function resolveResNet(config: ResNetConfig): ResolvedResNet {
  const { depths, width = 64, stem = IMAGENET_STEM, inChannels = 3, numClasses = 1000, seed = 0, gate } = config;
  const every = config.insertEvery ?? depths.map((depth) => (depth >= 23 ? 2 : 1));
  if (depths.length === 0) throw new ConfigError('depths', 'at least one stage', 'none');
  for (const [i, depth] of depths.entries()) assertInteger(`depths[${i}]`, depth, 1);
  if (every.length !== depths.length) throw new ConfigError('insertEvery', `${depths.length} integers`, every);
  for (const [i, step] of every.entries()) assertInteger(`insertEvery[${i}]`, step, 1);
  for (const [option, value] of Object.entries({ width, inChannels })) assertInteger(option, value, 1);
  assertInteger('numClasses', numClasses, 0);
  if (!Number.isSafeInteger(stem.kernel) || stem.kernel < 1 || stem.kernel % 2 === 0) {
    throw new ConfigError('stem.kernel', 'an odd integer >= 1', stem.kernel);
  }
  assertInteger('stem.stride', stem.stride, 1);
  return { depths, width, stem, inChannels, numClasses, insertEvery: every, seed, ...(gate ? { gate } : {}) };
}

/** @throws ConfigError for the first value that cannot be */
export function resolveResNetVideo(config: ResNetVideoConfig): ResolvedResNetVideo {
  const { frames = 8, dropout = 0.5, shiftDiv } = config;
  const image = resolveResNet(config);
  assertInteger('frames', frames, 1);
  assertInteger('numClasses', image.numClasses, 1);
  if (!(dropout >= 0 && dropout < 1)) throw new ConfigError('dropout', 'a rate in [0, 1)', dropout);
  if (shiftDiv === undefined) return { ...image, frames, dropout };
  assertInteger('shiftDiv', shiftDiv, 2);
  // The first bottleneck has the fewest channels: those of the stem.
  if (image.width < shiftDiv) throw new ConfigError('shiftDiv', `at most the width, ${image.width}`, shiftDiv);
  return { ...image, frames, dropout, shiftDiv };
}

/** One bottleneck of a network, as its configuration places it. */
export interface BottleneckPlan {
  /** channels that come in */
  readonly inputs: number;
  /** channels inside; {@link EXPANSION} times as many go out */
  readonly planes: number;
  readonly stride: number;
  /** whether shift and gate, where the network has them, stand in it */
  readonly inserts: boolean;
}

/** The bottlenecks of each stage. The first of every stage but the first halves the map. */
export function planStages({ depths, width, insertEvery }: ResolvedResNet): BottleneckPlan[][] {
  let inputs = width;
  return depths.map((depth, s) =>
    Array.from({ length: depth }, (_, i): BottleneckPlan => {
      const planes = width * 2 ** s;
      const plan = {
        inputs,
        planes,
        stride: s > 0 && i === 0 ? 2 : 1,
        inserts: i % (insertEvery[s] as number) === 0,
      };
      inputs = planes * EXPANSION;
      return plan;
    }),
  );
}
