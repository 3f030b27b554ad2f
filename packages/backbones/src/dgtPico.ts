import { type Grid, gridTokens, type MixerSpec, plainAttention, sequence } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { type DgtConfig, dgtGrids, type ResolvedDgt, resolveDgt } from './dgtConfig.ts';
import { invertedResidualFfnCosts } from './invertedResidualFfn.ts';

/** What {@link picoDgtConfig} takes beside the mixer. */
export interface PicoDgtOptions
  extends Pick<DgtConfig, 'normOrder' | 'inChannels' | 'numClasses' | 'dropPath' | 'seed'> {
  /** [H, W] of the images; default 28x28, whose first stage has 196 tokens */
  readonly inputSize?: readonly [height: number, width: number];
  /** false: the feed-forward networks beside the mixer keep their width of 64, whatever the mixer weighs; default true */
  readonly matchParameters?: boolean;
}

const HEAD_DIM = 16;
const DIMS = [32, 64] as const;
const MLP_RATIO = 2;

/**
 * The smallest DGT in which groups of queries still make a difference, to train on small images on a processor: two blocks on
 * half of the input's size, 14x14 for 28x28, with `mixer`, and one on a quarter with plain attention. Gray images, 10
 * classes; ours, not the paper's.
 *
 * Whatever the mixer, the network has about as many parameters as with plain attention: what a mixer has more in weights
 * is taken from the width of the feed-forward networks beside it, to the nearest channel (of 79 parameters).
 *
 * @throws ConfigError for a mixer that leaves no width, such as LiSA, whose tables have a value for each pair of places
 */
export function picoDgtConfig(
  mixer: MixerSpec,
  { matchParameters = true, ...options }: PicoDgtOptions = {},
): DgtConfig {
  const plain: DgtConfig = {
    dims: DIMS,
    depths: [2, 1],
    mixers: [mixer, plainAttention()],
    headDim: HEAD_DIM,
    mlpRatio: MLP_RATIO,
    stemDim: 16,
    stemStrides: [1],
    headWidth: 128,
    inputSize: [28, 28],
    inChannels: 1,
    numClasses: 10,
    ...options,
  };
  if (!matchParameters) return plain;
  return { ...plain, mlpRatio: [matchedWidth(mixer, resolveDgt(plain)) / DIMS[0], MLP_RATIO] };
}

/** The hidden width with which a block of the first stage has as many parameters as with plain attention. */
function matchedWidth(mixer: MixerSpec, config: ResolvedDgt): number {
  const [dim] = DIMS;
  const [grid] = dgtGrids(config, config.inputSize as readonly [number, number]).stages as [Grid];
  const context = { dim, heads: dim / HEAD_DIM, grid };
  const more = mixer.cost(context).params - plainAttention().cost(context).params;
  const ffn = (hidden: number) => sequence(invertedResidualFfnCosts(gridTokens(grid), dim, hidden)).params;
  const perChannel = ffn(1) - ffn(0);
  const width = dim * MLP_RATIO - Math.round(more / perChannel);
  if (width >= 1) return width;
  const most = (dim * MLP_RATIO - 1) * perChannel;
  const expected = `at most ${most} parameters more than plain attention, which the feed-forward networks can give up`;
  throw new ConfigError('mixer', expected, `${mixer.name} with ${more} more`, 'Or pass {matchParameters: false}.');
}
