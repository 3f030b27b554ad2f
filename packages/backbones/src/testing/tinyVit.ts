import { type MixerSpec, plainAttention } from '@saccade/nn';
import type { VisionTransformerConfig } from '../vitConfig.ts';

/** A vision transformer that takes milliseconds: a grid of 3x4 patches of 4x4 pixels, or 2x3x4 tubelets of 2x4x4. */
export function tinyVit(
  gridRank: 2 | 3,
  mixer: MixerSpec = plainAttention(),
  change: Partial<VisionTransformerConfig> = {},
): VisionTransformerConfig {
  return {
    gridRank,
    inputSize: gridRank === 3 ? [4, 12, 16] : [12, 16],
    patch: gridRank === 3 ? { kernel: [2, 4, 4], temporalStride: 2 } : { kernel: [4, 4] },
    dim: 16,
    depth: 2,
    headDim: 8,
    mixer,
    mlpRatio: 2,
    numClasses: 5,
    ...change,
  };
}
