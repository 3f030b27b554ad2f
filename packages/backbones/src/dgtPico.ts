import { gridTokens, type MixerSpec, plainAttention, sequence } from '@saccade/nn';
import { type DgtConfig, dgtGrids, resolveDgt } from './dgtConfig.ts';
import { invertedResidualFfnCosts } from './invertedResidualFfn.ts';

/** What {@link picoDgtConfig} takes beside the mixer. */
export interface PicoDgtOptions
  extends Pick<DgtConfig, 'normOrder' | 'inChannels' | 'numClasses' | 'dropPath' | 'seed'> {
  /** [H, W] of the images; default 28x28, whose first stage has 196 tokens */
  readonly inputSize?: readonly [height: number, width: number];
}

const HEAD_DIM = 16;
const DIMS = [32, 64] as const;

/**
 * The smallest DGT in which groups of queries still make a difference, to train on small images on a processor: two blocks on
 * half of the input's size, 14x14 for 28x28, with `mixer`, and one on a quarter with plain attention. Gray images, 10
 * classes; ours, not the paper's.
 *
 * Whatever the mixer, the network has about as many parameters as with plain attention: what a mixer has more in weights
 * is taken from the width of the feed-forward networks beside it, to the nearest channel (of 79 parameters).
 */
export function picoDgtConfig(mixer: MixerSpec, options: PicoDgtOptions = {}): DgtConfig {
  const plain: DgtConfig = {
    dims: DIMS,
    depths: [2, 1],
    mixers: [mixer, plainAttention()],
    headDim: HEAD_DIM,
    mlpRatio: 2,
    stemDim: 16,
    stemStrides: [1],
    headWidth: 128,
    inputSize: [28, 28],
    inChannels: 1,
    numClasses: 10,
    ...options,
  };
  const ratio = matchedRatio(mixer, resolveDgt(plain), 2);
  return { ...plain, mlpRatio: [ratio, 2] };
}

/** The width over the channels with which a block of the first stage has as many parameters as with plain attention. */
function matchedRatio(mixer: MixerSpec, config: ReturnType<typeof resolveDgt>, ratio: number): number {
  const [dim] = DIMS;
  const [grid] = dgtGrids(config, config.inputSize as readonly [number, number]).stages;
  const context = { dim, heads: dim / HEAD_DIM, grid: grid as NonNullable<typeof grid> };
  const more = mixer.cost(context).params - plainAttention().cost(context).params;
  const ffn = (hidden: number) => sequence(invertedResidualFfnCosts(gridTokens(context.grid), dim, hidden)).params;
  return (dim * ratio - Math.round(more / (ffn(1) - ffn(0)))) / dim;
}
