import type { Grid, MixerSpec } from '@saccade/nn';
import { assertInteger, ConfigError, product } from '@saccade/tensor-ops';
import { assertMixers, blockMixers, type StageConfig } from './config.ts';
import type { NormOrder } from './dgtBlock.ts';
import { type MergeKernel, mergePadding } from './dgtLayers.ts';

/** A Dynamic Group Transformer: a convolutional stem, then stages of blocks, each behind a merge that halves the map. */
export interface DgtConfig {
  /** channels of each stage */
  readonly dims: readonly number[];
  /** blocks of each stage */
  readonly depths: readonly number[];
  /** what exchanges information between tokens in each stage: one for all of its blocks, or a list with one for each */
  readonly mixers: readonly (MixerSpec | readonly MixerSpec[])[];
  /** channels of a head, must divide the channels of each stage; default 32 */
  readonly headDim?: number;
  /** where the LayerNorms of the blocks stand; default `pre`, as in DGT-T; DGT-S and -B have `post` */
  readonly normOrder?: NormOrder;
  /** the LayerNorms start with weight 0, which makes sense for `post` only; default false */
  readonly zeroInitNorms?: boolean;
  /** hidden width of the feed-forward networks over the channels, one for all stages or one for each; default 4 */
  readonly mlpRatio?: number | readonly number[];
  /** channels of the stem; default half of the first stage's */
  readonly stemDim?: number;
  /** of the convolutions of the stem; default [2, 1, 1] */
  readonly stemStrides?: readonly number[];
  /** default 3 */
  readonly mergeKernel?: MergeKernel;
  /** channels of the head, between its 1x1 convolution and the classifier; default 1280 */
  readonly headWidth?: number;
  /** a LayerNorm for the map of every stage, for dense prediction; default false */
  readonly stageNorms?: boolean;
  /** [H, W] of the input, for mixers whose weights depend on it; default: unknown */
  readonly inputSize?: readonly [height: number, width: number];
  /** channels of the input; default 3 */
  readonly inChannels?: number;
  /** logits; default 1000 */
  readonly numClasses?: number;
  /** drop path rate of the last block; it grows from 0 linearly over all blocks; default 0 */
  readonly dropPath?: number;
  /** seeds weights and drop path; default 0 */
  readonly seed?: number;
}

/** A {@link DgtConfig} with its defaults filled in and its values checked. */
export type ResolvedDgt = Required<Omit<DgtConfig, 'inputSize'>> & Pick<DgtConfig, 'inputSize'>;

/** @throws ConfigError for the first value that cannot be */
export function resolveDgt(config: DgtConfig): ResolvedDgt {
  const resolved = {
    headDim: 32,
    normOrder: 'pre' as const,
    zeroInitNorms: false,
    mlpRatio: 4,
    stemDim: Math.floor((config.dims[0] ?? 0) / 2),
    stemStrides: [2, 1, 1],
    mergeKernel: 3 as const,
    headWidth: 1280,
    stageNorms: false,
    inChannels: 3,
    numClasses: 1000,
    dropPath: 0,
    seed: 0,
    ...config,
  };
  const { dims, depths, mixers, mlpRatio, normOrder, stemStrides, mergeKernel, dropPath } = resolved;
  if (dims.length === 0) throw new ConfigError('dims', 'the channels of at least one stage', 'none');
  const lists = { depths, mixers, ...(typeof mlpRatio === 'number' ? {} : { mlpRatio }) };
  for (const [option, { length }] of Object.entries(lists)) {
    if (length !== dims.length) throw new ConfigError(option, `one for each of ${dims.length} stages`, length);
  }
  for (const option of ['headDim', 'stemDim', 'headWidth', 'inChannels', 'numClasses'] as const) {
    assertInteger(option, resolved[option], 1);
  }
  for (const s of dims.keys()) assertStage(resolved, s);
  if (stemStrides.length === 0) throw new ConfigError('stemStrides', 'at least one convolution', 'none');
  for (const [i, stride] of stemStrides.entries()) assertInteger(`stemStrides[${i}]`, stride, 1);
  if (mergeKernel !== 2 && mergeKernel !== 3) throw new ConfigError('mergeKernel', '2 or 3', mergeKernel);
  if (normOrder !== 'pre' && normOrder !== 'post') throw new ConfigError('normOrder', '"pre" or "post"', normOrder);
  if (resolved.zeroInitNorms && normOrder === 'pre') {
    throw new ConfigError('zeroInitNorms', 'false where norms stand before the branches', true);
  }
  if (!(dropPath >= 0 && dropPath < 1)) throw new ConfigError('dropPath', 'a rate in [0, 1)', dropPath);
  if (resolved.inputSize) assertDgtInput(resolved, 'inputSize', resolved.inputSize);
  return resolved;
}

function assertStage(config: ResolvedDgt, s: number): void {
  const { headDim, mlpRatio } = config;
  const { dim, depth, mixer, hidden } = stageOf(config, s);
  assertInteger(`dims[${s}]`, dim, 1);
  assertInteger(`depths[${s}]`, depth, 0);
  assertMixers({ depth, mixer }, `mixers[${s}]`);
  if (dim % headDim !== 0) {
    throw new ConfigError('headDim', `a positive integer that divides dims[${s}] = ${dim}`, headDim);
  }
  if (!Number.isSafeInteger(hidden) || hidden < 1) {
    throw new ConfigError('mlpRatio', `a number by which dims[${s}] = ${dim} gives an integer >= 1`, mlpRatio);
  }
}

function stageOf({ dims, depths, mixers, mlpRatio }: ResolvedDgt, s: number) {
  const dim = dims[s] as number;
  const ratio = typeof mlpRatio === 'number' ? mlpRatio : (mlpRatio[s] as number);
  return { dim, hidden: dim * ratio, depth: depths[s] as number, mixer: mixers[s] as StageConfig['mixer'] };
}

/** One stage of a network, as its configuration describes it. */
export interface DgtStagePlan {
  readonly dim: number;
  readonly heads: number;
  /** width of the feed-forward networks */
  readonly hidden: number;
  readonly blocks: readonly { readonly mixer: MixerSpec; readonly dropPath: number }[];
}

/** The stages with their blocks; rates of drop path grow linearly over all of them. */
export function planDgt(config: ResolvedDgt): DgtStagePlan[] {
  const last = config.depths.reduce((sum, depth) => sum + depth, 0) - 1;
  let block = 0;
  return config.dims.map((dim, s) => {
    const { hidden, ...mixers } = stageOf(config, s);
    const blocks = (blockMixers(mixers) as MixerSpec[]).map((mixer) => ({
      mixer,
      dropPath: (config.dropPath * block++) / Math.max(1, last),
    }));
    return { dim, heads: dim / config.headDim, hidden, blocks };
  });
}

/** Sizes of all maps of a network. */
interface DgtGrids {
  /** behind each convolution of the stem */
  readonly stem: readonly Grid[];
  readonly stages: readonly Grid[];
}

/** Pixels that a side of the input must have for one position in the last stage. */
export function leastSide({ stemStrides, mergeKernel, dims }: ResolvedDgt): number {
  // Convolutions with padding round up, those of 2x2 down.
  return mergeKernel === 3 ? 1 : product(stemStrides) * (2 ** dims.length - 1) + 1;
}

/** Sizes of all maps for an input of [H, W], each of at least {@link leastSide}. */
export function dgtGrids(
  { stemStrides, mergeKernel, dims }: ResolvedDgt,
  [height, width]: readonly [number, number],
): DgtGrids {
  let grid = [height, width] as const;
  const next = (kernel: number, stride: number, padding: number): Grid => {
    const [rows, columns] = grid.map((side) => Math.floor((side + 2 * padding - kernel) / stride) + 1);
    grid = [rows as number, columns as number];
    return grid;
  };
  return {
    stem: stemStrides.map((stride) => next(3, stride, 1)),
    stages: dims.map(() => next(mergeKernel, 2, mergePadding(mergeKernel))),
  };
}

/** @throws ConfigError, with `option` as the name, unless `input` is [H, W] with a position in the last stage */
export function assertDgtInput(
  config: ResolvedDgt,
  option: string,
  input: Grid,
): asserts input is readonly [number, number] {
  const least = leastSide(config);
  if (input.length === 2 && input.every((side) => Number.isSafeInteger(side) && side >= least)) return;
  throw new ConfigError(option, `[H,W], at least ${least}x${least} pixels`, input);
}
