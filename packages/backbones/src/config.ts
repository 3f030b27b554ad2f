import type { MixerSpec } from '@saccade/nn';
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

/** One stage: a patch embedding, then blocks of one kind. */
export interface StageConfig {
  /** channels C */
  readonly dim: number;
  /** number of blocks */
  readonly depth: number;
  readonly patch: PatchConfig;
  /** exchanges information between tokens; without one the stage has convolution blocks */
  readonly mixer?: MixerSpec;
  /** channels of a head, must divide dim; default 64. Of no meaning without a mixer. */
  readonly headDim?: number;
}

/** A backbone as a list of stages: everything that this package builds is one of these. */
export interface BackboneConfig {
  /** 2: images [B, H, W, C]; 3: clips [B, T, H, W, C] */
  readonly gridRank: 2 | 3;
  /** channels of the input; default 3 */
  readonly inChannels?: number;
  readonly stages: readonly StageConfig[];
  /** logits; default 1000 */
  readonly numClasses?: number;
  /** hidden width of the MLPs over dim; default 4 */
  readonly mlpRatio?: number;
  /** drop path rate of the last block; it grows from 0 linearly over all blocks; default 0 */
  readonly dropPath?: number;
  /** first value of the layer scales of mixer blocks; default: none */
  readonly layerScale?: number;
  /** seeds weights and drop path; default 0 */
  readonly seed?: number;
}

/** A {@link BackboneConfig} with its defaults filled in and its values checked. */
export type ResolvedConfig = Required<Omit<BackboneConfig, 'layerScale'>> & Pick<BackboneConfig, 'layerScale'>;

/** @throws ConfigError for the first value that cannot be, named as a path: `stages[1].headDim` */
export function resolveConfig(config: BackboneConfig): ResolvedConfig {
  const { gridRank, stages, inChannels = 3, numClasses = 1000, mlpRatio = 4, dropPath = 0, seed = 0 } = config;
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
  return { ...config, inChannels, numClasses, mlpRatio, dropPath, seed };
}

function assertStage({ dim, depth, patch, mixer, headDim = 64 }: StageConfig, path: string, gridRank: number): void {
  assertInteger(`${path}.dim`, dim, 1);
  assertInteger(`${path}.depth`, depth, 0);
  if (patch.kernel.length !== gridRank || patch.kernel.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ConfigError(`${path}.patch.kernel`, `${gridRank} positive integers`, patch.kernel);
  }
  assertInteger(`${path}.patch.temporalStride`, patch.temporalStride ?? 1, 1);
  assertInteger(`${path}.patch.temporalPadding`, patch.temporalPadding ?? 0, 0);
  if (mixer && (!Number.isSafeInteger(headDim) || headDim < 1 || dim % headDim !== 0)) {
    throw new ConfigError(`${path}.headDim`, `a positive integer that divides dim = ${dim}`, headDim);
  }
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
