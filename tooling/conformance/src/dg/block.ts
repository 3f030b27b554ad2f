import { DgtBlock, type NormOrder } from '@saccade/backbones';
import { dgAttention } from '@saccade/dg-attention';
import { cosineAttention, type MixerSpec, plainAttention } from '@saccade/nn';
import { Rng } from '@saccade/tensor-ops';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { replayMaps } from './maps.ts';

/** One block of DGT with DG-Attention or attention between all positions, in evaluation and in training mode. */
export const block: Handler = {
  family: 'dg',
  kind: /^block$/,
  async replay(golden, checks) {
    const dim = golden.number('C');
    const attention = golden.text('attention') as Attention;
    const options = {
      mixer: golden.text('glob') === 'True' ? globalAttention(attention) : groupAttention(golden, attention),
      dim,
      heads: golden.number('heads'),
      hidden: dim * golden.number('r'),
      normOrder: golden.text('norm') as NormOrder,
      dropPath: 0,
    };
    await replayMaps(() => new DgtBlock({ ...options, rng: new Rng(0) }), golden, checks);
  },
};

/** How queries and keys are compared. */
export type Attention = 'dot' | 'cosine';

/** Attention between all positions. */
export function globalAttention(attention: Attention): MixerSpec {
  return attention === 'cosine' ? cosineAttention() : plainAttention();
}

/** DG-Attention with a file's groups and keys. */
export function groupAttention(golden: Golden, attention: Attention): MixerSpec {
  const [groups, topK] = [golden.number('G'), golden.number('k')];
  return dgAttention({ groups, topK, attention, assign: golden.text('assign') as 'dot' | 'euclid' });
}
