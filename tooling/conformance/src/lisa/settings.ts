import { type LisaGrid, type LisaMode, type LisaOptions, type LisaPadding, lisa, type QkNorm } from '@saccade/lisa';
import type { MixerSpec } from '@saccade/nn';
import type { Golden } from '../Golden.ts';

/** The options that a file's metadata states. */
export function optionsOf(golden: Golden) {
  return {
    mode: golden.text('mode') as LisaMode,
    padding: golden.text('padding') as LisaPadding,
    qkNorm: golden.text('qk_norm') as QkNorm,
    ...(golden.states('D') ? { patterns: golden.number('D') } : {}),
    ...(golden.states('identity') ? { identity: golden.text('identity') === 'True' } : {}),
  } satisfies LisaOptions;
}

/** The grid of the tokens. */
export function gridOf(golden: Golden): LisaGrid {
  return golden.numbers('grid');
}

/** LiSA as the file describes it, for a backbone. */
export function mixerOf(golden: Golden): MixerSpec {
  return lisa(optionsOf(golden));
}
