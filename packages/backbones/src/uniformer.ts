import { type MixerSpec, plainAttention } from '@saccade/nn';
import type { BackboneConfig, PatchConfig } from './config.ts';

/** The sizes of UniFormer and StructViT; `s_plus` (images only) is in UniFormer's public code, not in the papers. */
export type UniFormerSize = 's' | 's_plus' | 'b' | 'l';

const SIZES = {
  s: { depths: [3, 4, 8, 3], dims: [64, 128, 320, 512], headDim: 64, overlap: false, dropPath: 0.1 },
  s_plus: { depths: [3, 5, 9, 3], dims: [64, 128, 320, 512], headDim: 32, overlap: true, dropPath: 0.1 },
  b: { depths: [5, 8, 20, 7], dims: [64, 128, 320, 512], headDim: 64, overlap: false, dropPath: 0.3 },
  l: { depths: [5, 10, 24, 7], dims: [128, 192, 448, 640], headDim: 64, overlap: false, dropPath: 0.4 },
} as const;

/** The first value of layer scales in the public code of UniFormer. */
export const UNIFORMER_LAYER_SCALE = 1e-6;

/** What {@link uniformerConfig} takes beside the size. */
export interface UniFormerOptions {
  /** 2: images (default), 3: clips */
  readonly gridRank?: 2 | 3;
  /** the mixer of stages 3 and 4; default plain attention, which makes it UniFormer; `structSA()` makes it StructViT */
  readonly mixer?: MixerSpec;
  /** channels of a head in stages 3 and 4; default 64, `s_plus` 32 */
  readonly headDim?: number;
}

/**
 * UniFormer: convolution blocks in stages 1-2, attention blocks in stages 3-4 (Li et al., arXiv 2201.04676).
 *
 * Patches of 4x4, then 2x2 three times; clips: a stem of 3x4x4 with stride (2, 4, 4) and one padded frame on each side.
 * Those of `s_plus` overlap (see `ConvStem`). The number of channels of a head shows nowhere in a checkpoint: take care
 * that it is the one that the weights were trained with.
 */
export function uniformerConfig(size: UniFormerSize, options: UniFormerOptions = {}): BackboneConfig {
  const { dropPath, overlap, ...plan } = SIZES[size];
  const config = fourStages({ ...plan, ...options });
  if (!overlap) return { ...config, dropPath };
  const stages = config.stages.map((stage) => ({ ...stage, patch: { ...stage.patch, overlap } }));
  return { ...config, stages, dropPath };
}

/** Depths, widths and head size of a network of UniFormer's plan. */
export interface FourStageOptions extends UniFormerOptions {
  readonly depths: readonly number[];
  readonly dims: readonly number[];
}

/** UniFormer's plan in sizes of your own: four stages, the last two with the mixer. */
export function fourStages({ depths, dims, headDim = 64, gridRank = 2, mixer }: FourStageOptions): BackboneConfig {
  const attention = mixer ?? plainAttention();
  return {
    gridRank,
    stages: dims.map((dim, s) => ({
      dim,
      depth: depths[s] as number,
      patch: uniformerPatch(s, gridRank),
      ...(s >= 2 ? { mixer: attention, headDim } : {}),
    })),
  };
}

function uniformerPatch(stage: number, gridRank: 2 | 3): PatchConfig {
  const size = stage === 0 ? 4 : 2;
  if (gridRank === 2) return { kernel: [size, size] };
  return stage === 0 ? { kernel: [3, size, size], temporalStride: 2, temporalPadding: 1 } : { kernel: [1, size, size] };
}
