import { type LisaOptions, lisa } from '@saccade/lisa';
import { type Grid, type WindowSize, windowed } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import type { BackboneConfig } from './config.ts';
import { type DeiTSize, deitConfig } from './deit.ts';
import type { ModelEntry } from './modelEntry.ts';
import { uniformerConfig } from './uniformer.ts';
import type { VisionTransformerConfig } from './vitConfig.ts';

/** What {@link lisaVitConfig} takes beside the size. */
export interface LisaVitOptions {
  /** 2: images of 224x224 (default); 3: clips of 16 frames */
  readonly gridRank?: 2 | 3;
  /** of the attention of all blocks */
  readonly lisa?: LisaOptions;
}

/**
 * DeiT with LiSA in the place of attention and the mean of all tokens in that of the class token, which has no place on a
 * grid. Ours: the paper's architectures are not public. DeiT's weights fit but for `cls_token`, see `dropClassToken`.
 */
export function lisaVitConfig(
  size: DeiTSize,
  { gridRank = 2, lisa: options }: LisaVitOptions = {},
): VisionTransformerConfig {
  return deitConfig(size, { gridRank, mixer: lisa(options), pooling: 'mean' });
}

/** Stages, counted from 1. */
type StageNumber = 1 | 2 | 3 | 4;

/** What {@link lisaConfig} takes beside the size. */
export interface LisaBackboneOptions {
  /** 2: images (default), 3: clips */
  readonly gridRank?: 2 | 3;
  /** for which the tables are; default 224x224 pixels, of clips 16 frames */
  readonly inputSize?: Grid;
  /** of all attention */
  readonly lisa?: LisaOptions;
  /** stages with LiSA, counted from 1; default [3, 4]. The others have convolution blocks. */
  readonly lisaStages?: readonly StageNumber[];
  /** windows by stage, `{ 1: 14 }`: there LiSA works inside windows, with tables of their size; default: none */
  readonly windows?: Partial<Readonly<Record<StageNumber, WindowSize>>>;
}

/**
 * UniFormer's plan with LiSA as attention: four stages, heads of 64 channels, convolution blocks where there is no LiSA.
 * Ours: the paper's architectures are not public.
 *
 * @throws ConfigError for stages that do not exist, or a window in a stage without LiSA
 */
export function lisaConfig(size: 's' | 'b', options: LisaBackboneOptions = {}): BackboneConfig {
  const { gridRank = 2, inputSize = inputOf(gridRank), lisaStages = [3, 4], windows = {} } = options;
  const plan = uniformerConfig(size, { gridRank });
  const known = plan.stages.map((_, s) => s + 1);
  if (lisaStages.some((stage) => !known.includes(stage))) {
    throw new ConfigError('lisaStages', `stages out of [${known}]`, lisaStages);
  }
  const idle = Object.keys(windows).find((stage) => !lisaStages.includes(Number(stage) as StageNumber));
  if (idle !== undefined) throw new ConfigError('windows', `windows in stages with LiSA, [${lisaStages}]`, windows);
  const mixer = lisa(options.lisa);
  const stages = plan.stages.map(({ dim, depth, patch }, s) => {
    const stage = (s + 1) as StageNumber;
    const window = windows[stage];
    if (!lisaStages.includes(stage)) return { dim, depth, patch };
    return { dim, depth, patch, headDim: 64, mixer: window === undefined ? mixer : windowed(mixer, window) };
  });
  return { ...plan, inputSize, stages };
}

function inputOf(gridRank: 2 | 3): Grid {
  return gridRank === 3 ? [16, 224, 224] : [224, 224];
}

const PAPER = 'Lightweight Structure-Aware Attention for Visual Understanding, IJCV 2025, arXiv 2211.16289';
const STATUS = 'the operator re-implemented from the abstract, the architecture ours';

type Entry = readonly [name: string, entry: ModelEntry<VisionTransformerConfig> | ModelEntry<BackboneConfig>];

function isotropic(size: DeiTSize, padding: 'zero' | 'circular'): Entry {
  const title = size === 'ti' ? 'Ti' : size.toUpperCase();
  const circular = padding === 'circular';
  return [
    `lisa_vit_${size}${circular ? '_circular' : ''}`,
    {
      config: () => lisaVitConfig(size, { lisa: { padding } }),
      input: inputOf(2),
      numClasses: 1000,
      summary: `LiSA-ViT-${title}${circular ? ', circular tables' : ''}, images: ${STATUS}`,
      paper: PAPER,
    },
  ];
}

function hierarchical(size: 's' | 'b', gridRank: 2 | 3): Entry {
  const clips = gridRank === 3;
  return [
    `lisa_${size}${clips ? '_video' : ''}`,
    {
      config: () => lisaConfig(size, { gridRank }),
      input: inputOf(gridRank),
      numClasses: clips ? 400 : 1000,
      summary: `LiSA-${size.toUpperCase()}, ${clips ? 'clips' : 'images'}: ${STATUS}`,
      paper: PAPER,
    },
  ];
}

/** `lisa_vit_{ti,s,b}{,_circular}` on DeiT's plan, `lisa_{s,b}{,_video}` on UniFormer's. */
export const LISA_MODELS: readonly Entry[] = [
  ...(['ti', 's', 'b'] as const).flatMap((size) => [isotropic(size, 'zero'), isotropic(size, 'circular')]),
  ...(['s', 'b'] as const).flatMap((size) => [hierarchical(size, 2), hierarchical(size, 3)]),
];
