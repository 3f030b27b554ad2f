import { type WindowSize, windowed } from '@saccade/nn';
import { assertInteger, ConfigError } from '@saccade/tensor-ops';
import { type BackboneConfig, blockMixers, type StageConfig } from './config.ts';

/** Options of {@link denseConfig}. */
export interface DenseOptions {
  /** rows and columns of a window, in positions of the stage: 14 for "h14", 32 for "h32" */
  readonly window: WindowSize;
  /** every n-th block of the stage, counted from 1, goes on seeing the whole grid; default 4; 0: none does */
  readonly globalEvery?: number;
  /** position of the stage, counted from 0; default 2, the third */
  readonly stage?: number;
}

/**
 * A configuration for dense prediction on large pictures: the mixers of one stage work in windows, except every n-th, and
 * every stage has a LayerNorm for `forwardIntermediates(x, stages, { normalize: true })`.
 *
 * ```ts
 * const h14 = denseConfig(modelConfig('structvit_s_4_1'), { window: 14 });
 * const h32 = denseConfig(modelConfig('structvit_s_4_1'), { window: 32 });
 * const w14 = denseConfig(modelConfig('structvit_s_4_1'), { window: 14, globalEvery: 0 });
 * ```
 *
 * Stage 4, whose grid is a quarter, stays global, as in UniFormer's detection ("hybrid") and segmentation models. Weights
 * of a classification model fit, but for the names `norm1`, `norm2`, ... of the LayerNorms, which start as identities.
 * Source: Li et al., arXiv 2201.09450, and its public code; arXiv 2404.03924, section 4.2 for StructViT. See `windowed`.
 *
 * @throws ConfigError for a stage without a mixer, or options that cannot be
 */
export function denseConfig(
  config: BackboneConfig,
  { window, globalEvery = 4, stage = 2 }: DenseOptions,
): BackboneConfig {
  assertInteger('globalEvery', globalEvery, 0);
  const chosen = config.stages[stage];
  if (!chosen?.mixer) {
    const places = config.stages.flatMap(({ mixer }, s) => (mixer ? [s] : []));
    throw new ConfigError('stage', `the position of a stage with a mixer, one of [${places}]`, stage);
  }
  const mixer = blockMixers(chosen).map((spec, i) => {
    const global = globalEvery > 0 && (i + 1) % globalEvery === 0;
    return spec && !global ? windowed(spec, window) : spec;
  }) as StageConfig['mixer'] & readonly unknown[];
  const stages = config.stages.map((other, s) => (s === stage ? { ...other, mixer } : other));
  return { ...config, stages, stageNorms: true };
}
