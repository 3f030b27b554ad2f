import { dgAttention } from '@saccade/dg-attention';
import { type MixerSpec, plainAttention } from '@saccade/nn';
import type { DgtConfig } from '../dgtConfig.ts';

/** DGT's plan in sizes that take milliseconds: two stages, groups of queries in the first. */
export function tinyDgt(change: Partial<DgtConfig> = {}, mixer: MixerSpec = tinyGroups()): DgtConfig {
  return {
    dims: [8, 16],
    depths: [1, 2],
    mixers: [mixer, plainAttention()],
    headDim: 4,
    mlpRatio: 2,
    stemStrides: [2, 1],
    headWidth: 12,
    numClasses: 5,
    ...change,
  };
}

/** DG-Attention for few tokens. */
export function tinyGroups(options: Parameters<typeof dgAttention>[0] = {}): MixerSpec {
  return dgAttention({ groups: 3, topK: 5, ...options });
}
