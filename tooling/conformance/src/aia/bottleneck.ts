import { type AIAVariant, aia } from '@saccade/aia';
import { Bottleneck } from '@saccade/backbones';
import type { FeatureGateSpec } from '@saccade/nn';
import { Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Handler } from '../handler.ts';
import { channelsFirst, channelsLast } from '../layout.ts';

/** One bottleneck of a ResNet with its gates, in evaluation mode; C2D is TSN, TSM shifts. */
export const bottleneck: Handler = {
  family: 'aia',
  kind: /^bottleneck eval$/,
  async replay(golden, checks) {
    const shiftDiv = golden.text('base') === 'TSM' ? golden.number('fold_div') : undefined;
    using block = new Bottleneck({
      inputs: golden.number('inplanes'),
      planes: golden.number('planes'),
      stride: golden.number('stride'),
      temporal: { frames: golden.number('T'), shiftDiv },
      gate: gateOf(golden.text('variant')),
      rng: new Rng(0),
    });
    block.loadStateDict(golden.state('state.'));
    block.eval();
    const output = tf.tidy(() => channelsFirst(block.forward(channelsLast(golden.tensor('input')))));
    await checks.tensors('forward', { output });
  },
};

/** The reference's names: `CinST_BN`, and in networks also `STinC2_june`; nothing for a plain backbone. */
export function gateOf(name: string): FeatureGateSpec | undefined {
  if (name === '') return undefined;
  if (name === 'STinC2_june') return aia({ variant: 'STinC', stincVersion: 'june' });
  return aia({ variant: name.replace(/_BN$/, '') as AIAVariant });
}
