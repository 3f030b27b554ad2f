import type { FeatureGateSpec, Grid, MixerSpec } from '@saccade/nn';
import { assertInteger, ConfigError } from '@saccade/tensor-ops';

/** How a stage cuts the map before it into patches. */
export interface PatchConfig {
  /** [p, p] for images, [kt, p, p] for clips; the spatial stride is p */
  readonly kernel: readonly number[];
  /** clips only; default 1 */
  readonly temporalStride?: number;
  /** clips only: zero frames on either side; default 0 */
  readonly temporalPadding?: number;
}

/** How a stage of a {@link BackboneConfig} cuts the map before it into patches. */
export interface StagePatchConfig extends PatchConfig {
  /**
   * images only: patches that overlap, p = 2, 4, ... by log2(p) convolutions of 3x3 with stride 2, each with BatchNorm;
   * default false
   */
  readonly overlap?: boolean;
}

/** One stage: a patch embedding, then blocks of one kind. */
export interface StageConfig {
  /** channels C */
  readonly dim: number;
  /** number of blocks */
  readonly depth: number;
  readonly patch: StagePatchConfig;
  /**
   * exchanges information between tokens: one for all blocks, or a list with one for each block; without one the stage has
   * convolution blocks
   */
  readonly mixer?: MixerSpec | readonly MixerSpec[];
  /** channels of a head, must divide dim; default 64. Of no meaning without a mixer. */
  readonly headDim?: number;
  /** weighs the features of clips or images in every block, such as `aia()` or `squeezeExcitation()`; default: none */
  readonly gate?: FeatureGateSpec;
}

/** A backbone as a list of stages: everything that this package builds is one of these. */
export interface BackboneConfig {
  /** 2: images [B, H, W, C]; 3: clips [B, T, H, W, C] */
  readonly gridRank: 2 | 3;
  /**
   * pixels [H, W], or frames and pixels [T, H, W], for which mixers are built whose weights depend on their grid, such as
   * `lisa()`; needed by those alone. Inputs of other sizes fit all the same.
   */
  readonly inputSize?: Grid;
  /** channels of the input; default 3 */
  readonly inChannels?: number;
  readonly stages: readonly StageConfig[];
  /** logits; default 1000 */
  readonly numClasses?: number;
  /** hidden width of the MLPs over dim; default 4 */
  readonly mlpRatio?: number;
  /** drop path rate of the last block; it grows from 0 linearly over all blocks; default 0 */
  readonly dropPath?: number;
  /** first value of the layer scales of mixer blocks (UniFormer: 1e-6); default: none */
  readonly layerScale?: number;
  /** a second classifier, of every position, for training with token labels; default false */
  readonly tokenLabelling?: boolean;
  /** a LayerNorm for the map of every stage, for dense prediction; default false */
  readonly stageNorms?: boolean;
  /** seeds weights and drop path; default 0 */
  readonly seed?: number;
}

/** A {@link BackboneConfig} with its defaults filled in and its values checked. */
export type ResolvedConfig = Required<Omit<BackboneConfig, 'layerScale' | 'inputSize'>> &
  Pick<BackboneConfig, 'layerScale' | 'inputSize'>;

/** @throws ConfigError for the first value that cannot be, named as a path: `stages[1].headDim` */
export function resolveConfig(config: BackboneConfig): ResolvedConfig {
  const { gridRank, stages, inChannels = 3, numClasses = 1000, mlpRatio = 4, dropPath = 0, seed = 0 } = config;
  const { tokenLabelling = false, stageNorms = false } = config;
  if (gridRank !== 2 && gridRank !== 3) throw new ConfigError('gridRank', '2 (images) or 3 (clips)', gridRank);
  if (stages.length === 0) throw new ConfigError('stages', 'at least one stage', 'none');
  for (const [option, value] of Object.entries({ inChannels, numClasses })) assertInteger(option, value, 1);
  if (!(dropPath >= 0 && dropPath < 1)) throw new ConfigError('dropPath', 'a rate in [0, 1)', dropPath);
  for (const [i, stage] of stages.entries()) {
    assertStage(stage, `stages[${i}]`, gridRank);
    const hidden = stage.dim * mlpRatio;
    if (!Number.isSafeInteger(hidden) || hidden < 1) {
      throw new ConfigError(
        'mlpRatio',
        `a number by which stages[${i}].dim = ${stage.dim} gives an integer >= 1`,
        mlpRatio,
      );
    }
  }
  if (config.inputSize) assertInputSize(config.inputSize, gridRank, stages);
  return { ...config, inChannels, numClasses, mlpRatio, dropPath, tokenLabelling, stageNorms, seed };
}

function assertStage({ dim, depth, patch, mixer, headDim = 64 }: StageConfig, path: string, gridRank: number): void {
  assertInteger(`${path}.dim`, dim, 1);
  assertInteger(`${path}.depth`, depth, 0);
  assertMixers({ depth, mixer }, `${path}.mixer`);
  assertPatch(patch, `${path}.patch`, gridRank);
  if (patch.overlap) assertOverlap(dim, patch, `${path}.patch`);
  if (mixer && (!Number.isSafeInteger(headDim) || headDim < 1 || dim % headDim !== 0)) {
    throw new ConfigError(`${path}.headDim`, `a positive integer that divides dim = ${dim}`, headDim);
  }
}

/** @throws ConfigError, with `path` before the name, unless the patches suit inputs of `gridRank` axes */
export function assertPatch(patch: PatchConfig, path: string, gridRank: number): void {
  if (patch.kernel.length !== gridRank || patch.kernel.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ConfigError(`${path}.kernel`, `${gridRank} positive integers`, patch.kernel);
  }
  assertInteger(`${path}.temporalStride`, patch.temporalStride ?? 1, 1);
  assertInteger(`${path}.temporalPadding`, patch.temporalPadding ?? 0, 0);
}

/** The grid after a patch embedding: whole patches in space, begun ones where they overlap; strided and padded in time. */
export function patchGrid(
  grid: Grid,
  { kernel, overlap, temporalStride = 1, temporalPadding = 0 }: StagePatchConfig,
): Grid {
  const [ph, pw] = kernel.slice(-2) as [number, number];
  const [height, width] = grid.slice(-2) as [number, number];
  const round = overlap ? Math.ceil : Math.floor;
  const space = [round(height / ph), round(width / pw)] as const;
  if (grid.length === 2) return space;
  const frames = Math.floor((grid[0] + 2 * temporalPadding - (kernel[0] as number)) / temporalStride) + 1;
  return [frames, ...space];
}

/** The grid of each stage for an input of `input`. */
export function stageGrids(input: Grid, stages: readonly StageConfig[]): Grid[] {
  let grid = input;
  return stages.map(({ patch }) => {
    grid = patchGrid(grid, patch);
    return grid;
  });
}

function assertInputSize(inputSize: Grid, gridRank: number, stages: readonly StageConfig[]): void {
  if (inputSize.length !== gridRank || inputSize.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    const expected = `${gridRank === 3 ? '[T,H,W]' : '[H,W]'}, positive integers`;
    throw new ConfigError('inputSize', expected, inputSize);
  }
  if (stageGrids(inputSize, stages).some((grid) => grid.some((positions) => positions < 1))) {
    throw new ConfigError('inputSize', 'at least one position in every stage', inputSize);
  }
}

/** An overlapping patch embedding halves the map as often as its kernel is a power of 2; its channels double each time. */
function assertOverlap(dim: number, { kernel, temporalStride, temporalPadding }: StagePatchConfig, path: string): void {
  if (kernel.length !== 2 || temporalStride !== undefined || temporalPadding !== undefined) {
    throw new ConfigError(`${path}.overlap`, 'false for clips', true, 'Overlapping patches are for images only.');
  }
  const [rows, columns] = kernel as [number, number];
  const halvings = Math.log2(rows);
  if (rows !== columns || halvings < 1 || !Number.isInteger(halvings)) {
    throw new ConfigError(`${path}.kernel`, '[p, p] with p = 2, 4, 8, ... where patches overlap', kernel);
  }
  if (dim % 2 ** (halvings - 1) !== 0) {
    throw new ConfigError(`${path}.kernel`, `a p of which p / 2 divides dim = ${dim}`, kernel);
  }
}

/** Blocks and what they mix with, as stages and vision transformers have them. */
type Mixers = Pick<StageConfig, 'depth'> & { readonly mixer?: StageConfig['mixer'] | undefined };

/** @throws ConfigError, with `option` as the name, unless a list of mixers has one for each block */
export function assertMixers({ depth, mixer }: Mixers, option: string): void {
  if (isList(mixer) && mixer.length !== depth) {
    throw new ConfigError(option, `one mixer, or one for each of ${depth} blocks`, `${mixer.length} mixers`);
  }
}

/** The mixer of each block; undefined for convolution blocks. */
export function blockMixers({ depth, mixer }: Mixers): (MixerSpec | undefined)[] {
  return Array.from({ length: depth }, (_, i) => (isList(mixer) ? mixer[i] : mixer));
}

function isList(mixer: StageConfig['mixer']): mixer is readonly MixerSpec[] {
  return Array.isArray(mixer);
}

/** Heads of a stage's mixer. */
export function stageHeads({ dim, headDim = 64 }: StageConfig): number {
  return dim / headDim;
}

/** Drop path rate of each block of each stage: linspace(0, rate, blocks). */
export function dropPathRates({ stages, dropPath }: Pick<ResolvedConfig, 'stages' | 'dropPath'>): number[][] {
  const blocks = stages.reduce((total, { depth }) => total + depth, 0);
  let block = 0;
  return stages.map(({ depth }) => Array.from({ length: depth }, () => (dropPath * block++) / Math.max(1, blocks - 1)));
}
