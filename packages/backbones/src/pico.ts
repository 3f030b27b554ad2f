import type { MixerSpec } from '@saccade/nn';
import type { BackboneConfig } from './config.ts';

/**
 * The smallest video backbone that still reads motion by attention, for the demo and for tests: clips of 8 frames of
 * 32x32 gray pixels. UniFormer's video stem, no convolution blocks, two stages with the mixer; ours, not the paper's.
 *
 * Grids: 4x8x8 tokens of 32 channels, then 4x4x4 tokens of 64 channels. StructSA with 4 detectors and stride 2 has here as
 * many attention weights as plain attention, 4 * N/4 for each query, so that a comparison is one of equal maps.
 */
export function picoVideoConfig(mixer: MixerSpec): BackboneConfig {
  return {
    gridRank: 3,
    inChannels: 1,
    stages: [
      { dim: 32, depth: 1, patch: { kernel: [3, 4, 4], temporalStride: 2, temporalPadding: 1 }, mixer, headDim: 16 },
      { dim: 64, depth: 2, patch: { kernel: [1, 2, 2] }, mixer, headDim: 16 },
    ],
    mlpRatio: 2,
    numClasses: 16,
  };
}
