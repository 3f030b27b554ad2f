import { type DgAttentionOptions, dgAttention } from '@saccade/dg-attention';
import { cosineAttention, type MixerSpec, plainAttention } from '@saccade/nn';
import type { DgtConfig } from './dgtConfig.ts';
import type { MergeKernel } from './dgtLayers.ts';
import type { ModelEntry } from './modelEntry.ts';
import { imagePretrained } from './pretrained.ts';

/** The sizes of DGT. */
export type DgtSize = 't' | 's' | 'b';

const DEPTHS = [1, 2, 17, 2] as const;

const SIZES = {
  t: { dims: [64, 128, 256, 512], normOrder: 'pre', dropPath: 0.1 },
  s: { dims: [96, 192, 384, 768], normOrder: 'post', dropPath: 0.3 },
  b: { dims: [128, 256, 512, 1024], normOrder: 'post', dropPath: 0.5 },
} as const;

/** What {@link dgtConfig} takes beside the size. */
export interface DgtOptions {
  /** of the DG-Attention in stages 1-3; its `attention` is `dot` in T, `cosine` in S and B */
  readonly dg?: Omit<DgAttentionOptions, 'attention'>;
  /** stands in the place of DG-Attention */
  readonly mixer?: MixerSpec;
  /** kernel of the merges; default 3 */
  readonly mergeKernel?: MergeKernel;
}

/**
 * DGT-T, -S and -B: DG-Attention in stages 1-3, attention between all positions in stage 4; by products of queries and keys
 * in T, whose norms stand before what they norm, by cosines in S and B, whose norms stand behind it.
 *
 * Sizes, numbers of blocks, of groups (48) and of keys (98), and 3x3 merges are as commonly cited for arXiv 2203.03937, not
 * verified against the paper; they fit the costs that are cited with them (24 M and 4.3 G, 52 M and 9.4 G, 90 M and 16.4 G).
 * The rates of drop path are suggestions of ours.
 */
export function dgtConfig(size: DgtSize, { dg, mixer, ...options }: DgtOptions = {}): DgtConfig {
  const cosine = SIZES[size].normOrder === 'post';
  const grouped = mixer ?? dgAttention({ ...dg, attention: cosine ? 'cosine' : 'dot' });
  const global = cosine ? cosineAttention() : plainAttention();
  return { ...SIZES[size], depths: DEPTHS, mixers: [grouped, grouped, grouped, global], ...options };
}

const PAPER =
  'Dynamic Group Transformer: A General Vision Transformer Backbone with Dynamic Group Attention, IJCAI 2022, arXiv 2203.03937';

const NOTES = [
  'Neither code nor weights are public: start from random weights.',
  'A re-implementation; the equations are not verified against the paper.',
];

function entry(size: DgtSize): readonly [string, ModelEntry<DgtConfig>] {
  const pretrained = imagePretrained({ name: `dgt_${size}`, paper: PAPER, notes: NOTES });
  const { input, numClasses } = pretrained;
  const summary = `DGT-${size.toUpperCase()}, images`;
  return [`dgt_${size}`, { config: () => dgtConfig(size), input, numClasses, summary, paper: PAPER, pretrained }];
}

/** The entries of the table of models. */
export const DGT_MODELS: readonly (readonly [string, ModelEntry<DgtConfig>])[] = [entry('t'), entry('s'), entry('b')];
