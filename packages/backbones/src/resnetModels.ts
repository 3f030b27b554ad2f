import type { FeatureGateSpec } from '@saccade/nn';
import type { ModelEntry } from './modelEntry.ts';
import type { ResNetConfig, ResNetVideoConfig } from './resnetConfig.ts';

/** The sizes of ResNet that are made of bottlenecks and that TSM has been published for. */
export type ResNetSize = 50 | 101;

const DEPTHS = { 50: [3, 4, 6, 3], 101: [3, 4, 23, 3] } as const;

/** What {@link resnetConfig} takes beside the size. */
export interface ResNetOptions {
  /** stands in the bottlenecks; default: none */
  readonly gate?: FeatureGateSpec;
}

/** ResNet-50 or -101 for images: version 1.5, whose bottlenecks stride in the 3x3 convolution (He et al., arXiv 1512.03385). */
export function resnetConfig(size: ResNetSize, options: ResNetOptions = {}): ResNetConfig {
  return { depths: DEPTHS[size], ...options };
}

/** What {@link tsmConfig} and {@link tsnConfig} take beside the size. */
export interface ResNetVideoOptions extends ResNetOptions {
  /** T, frames (segments) of a clip; default 8 */
  readonly frames?: number;
}

/** TSN: every frame for itself, the logits of a clip are the mean of those of its frames (Wang et al., arXiv 1608.00859). */
export function tsnConfig(size: ResNetSize, { frames = 8, ...options }: ResNetVideoOptions = {}): ResNetVideoConfig {
  return { ...resnetConfig(size, options), frames, dropout: 0.5 };
}

/** TSM: TSN with a temporal shift of 1/8 of the channels in the bottlenecks (Lin et al., arXiv 1811.08383). */
export function tsmConfig(size: ResNetSize, options: ResNetVideoOptions = {}): ResNetVideoConfig {
  return { ...tsnConfig(size, options), shiftDiv: 8 };
}

/**
 * The smallest TSM that still reads motion, for comparisons and for tests: clips of 8 frames of 32x32 gray pixels, three
 * stages of one bottleneck. Ours, not a paper's.
 */
export function picoTsmConfig({ gate }: ResNetOptions = {}): ResNetVideoConfig {
  return {
    depths: [1, 1, 1],
    width: 16,
    stem: { kernel: 5, stride: 2, pool: true },
    inChannels: 1,
    numClasses: 16,
    frames: 8,
    shiftDiv: 8,
    dropout: 0,
    ...(gate ? { gate } : {}),
  };
}

const RESNET = 'He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv 1512.03385';
const TSN = 'Wang et al., Temporal Segment Networks, ECCV 2016, arXiv 1608.00859';
const TSM = 'Lin et al., TSM: Temporal Shift Module for Efficient Video Understanding, ICCV 2019, arXiv 1811.08383';

/** Something-Something, for which AIA's figures are. */
const VIDEO = { input: [8, 224, 224], numClasses: 174 } as const;

/** The entries of the table of models. */
export const RESNET_MODELS: readonly (readonly [string, ModelEntry<ResNetConfig | ResNetVideoConfig>])[] = [
  ...([50, 101] as const).flatMap((size) => [
    [
      `resnet${size}`,
      {
        config: () => resnetConfig(size),
        input: [224, 224],
        numClasses: 1000,
        summary: `ResNet-${size}, version 1.5, images`,
        paper: RESNET,
      },
    ] as const,
    [
      `tsn_resnet${size}`,
      { config: () => tsnConfig(size), ...VIDEO, summary: `TSN on ResNet-${size}, clips of 8 segments`, paper: TSN },
    ] as const,
    [
      `tsm_resnet${size}`,
      { config: () => tsmConfig(size), ...VIDEO, summary: `TSM on ResNet-${size}, clips of 8 segments`, paper: TSM },
    ] as const,
  ]),
  [
    'tsm_resnet_pico',
    {
      config: () => picoTsmConfig(),
      input: [8, 32, 32],
      numClasses: 16,
      summary: 'TSM for 8 frames of 32x32 gray pixels, ours',
      paper: TSM,
    },
  ],
];
