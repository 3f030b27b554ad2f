import { type Grid, type MixerSpec, plainAttention } from '@saccade/nn';
import { assertInteger, ConfigError, formatShape } from '@saccade/tensor-ops';
import { assertMixers, assertPatch, blockMixers, type PatchConfig, patchGrid } from './config.ts';

/** What the classifier of a vision transformer reads: the mean over all positions, or a class token of its own. */
export type Pooling = 'mean' | 'token';

/** A vision transformer: one patch embedding, then blocks that are all alike. */
export interface VisionTransformerConfig {
  /** 2: images [B, H, W, C]; 3: clips [B, T, H, W, C] */
  readonly gridRank: 2 | 3;
  /** pixels [H, W], or frames and pixels [T, H, W], for whose patches the position embedding is learned */
  readonly inputSize: Grid;
  /** channels of the input; default 3 */
  readonly inChannels?: number;
  /** how the input is cut into tokens; the tubelets of ViViT are `{kernel: [2, 16, 16], temporalStride: 2}` */
  readonly patch: PatchConfig;
  /** channels C of a token */
  readonly dim: number;
  /** number of blocks */
  readonly depth: number;
  /** channels of a head, must divide dim; default 64 */
  readonly headDim?: number;
  /** exchanges information between tokens: one for all blocks, or a list with one for each; default plain attention */
  readonly mixer?: MixerSpec | readonly MixerSpec[];
  /** bias of the projection to queries, keys and values; default true */
  readonly qkvBias?: boolean;
  /** hidden width of the MLPs over dim; default 4 */
  readonly mlpRatio?: number;
  /** first value of the layer scales; default: none */
  readonly layerScale?: number;
  /** a learned vector for each token; default true */
  readonly positionEmbedding?: boolean;
  /** default `mean`; `token` needs a mixer that takes prefix tokens */
  readonly pooling?: Pooling;
  /** logits; default 1000 */
  readonly numClasses?: number;
  /** drop path rate of the last block; it grows from 0 linearly over all blocks; default 0 */
  readonly dropPath?: number;
  /** seeds weights and drop path; default 0 */
  readonly seed?: number;
}

/** A {@link VisionTransformerConfig} with its defaults filled in and its values checked. */
export type ResolvedVisionTransformerConfig = Required<Omit<VisionTransformerConfig, 'layerScale'>> &
  Pick<VisionTransformerConfig, 'layerScale'> & {
    /** of each block */
    readonly mixers: readonly MixerSpec[];
    /** the grid of tokens of `inputSize` */
    readonly grid: Grid;
    /** tokens before those of the grid: 1 with a class token, else 0 */
    readonly prefixTokens: 0 | 1;
  };

/** @throws ConfigError for the first value that cannot be */
export function resolveVisionTransformer(config: VisionTransformerConfig): ResolvedVisionTransformerConfig {
  const full = {
    inChannels: 3,
    headDim: 64,
    mixer: plainAttention(),
    qkvBias: true,
    mlpRatio: 4,
    positionEmbedding: true,
    pooling: 'mean' as const,
    numClasses: 1000,
    dropPath: 0,
    seed: 0,
    ...config,
  };
  const { gridRank, inputSize, patch, dim, depth, headDim, mlpRatio, pooling, mixer } = full;
  if (gridRank !== 2 && gridRank !== 3) throw new ConfigError('gridRank', '2 (images) or 3 (clips)', gridRank);
  for (const option of ['inChannels', 'dim', 'numClasses', 'headDim'] as const) assertInteger(option, full[option], 1);
  assertInteger('depth', depth, 0);
  assertMixers({ depth, mixer }, 'mixer');
  assertPatch(patch, 'patch', gridRank);
  if (dim % headDim !== 0) throw new ConfigError('headDim', `a positive integer that divides dim = ${dim}`, headDim);
  if (!Number.isSafeInteger(dim * mlpRatio) || dim * mlpRatio < 1) {
    throw new ConfigError('mlpRatio', `a number by which dim = ${dim} gives an integer >= 1`, mlpRatio);
  }
  if (!(full.dropPath >= 0 && full.dropPath < 1)) throw new ConfigError('dropPath', 'a rate in [0, 1)', full.dropPath);
  if (pooling !== 'mean' && pooling !== 'token') throw new ConfigError('pooling', '"mean" or "token"', pooling);
  const mixers = blockMixers({ depth, mixer }) as MixerSpec[];
  const deaf = mixers.find(({ takesPrefixTokens = false }) => !takesPrefixTokens);
  if (pooling === 'token' && deaf) {
    throw new ConfigError('pooling', `"mean", since the mixer "${deaf.name}" takes no class token`, pooling);
  }
  if (inputSize.length !== gridRank || inputSize.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ConfigError(
      'inputSize',
      gridRank === 3 ? '[T,H,W], positive integers' : '[H,W], positive integers',
      inputSize,
    );
  }
  const grid = patchGrid(inputSize, patch);
  if (grid.some((size) => size < 1)) {
    throw new ConfigError('inputSize', `at least one patch of ${formatShape(patch.kernel)}`, inputSize);
  }
  return { ...full, mixers, grid, prefixTokens: pooling === 'token' ? 1 : 0 };
}
