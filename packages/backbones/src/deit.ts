import { type Grid, type MixerSpec, plainAttention } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import type { ModelEntry } from './modelEntry.ts';
import { imagePretrained, type PretrainedConfig } from './pretrained.ts';
import type { Pooling, VisionTransformerConfig } from './vitConfig.ts';

/** The sizes of DeiT. */
export type DeiTSize = 'ti' | 's' | 'b';

const DIMS = { ti: 192, s: 384, b: 768 } as const;

/** What {@link deitConfig} takes beside the size. */
export interface DeiTOptions {
  /** 2: images of 224x224 (default); 3: clips of 16 frames */
  readonly gridRank?: 2 | 3;
  /** default plain attention, which makes it DeiT */
  readonly mixer?: MixerSpec;
  /** default `token`, as DeiT has it */
  readonly pooling?: Pooling;
}

/**
 * DeiT: 12 blocks of width 192, 384 or 768 with heads of 64, patches of 16x16, a class token (Touvron et al., arXiv
 * 2012.12877), with any mixer in the place of attention.
 *
 * Clips: tubelets of 2x16x16 and one position embedding over space and time, 8x14x14 for 16 frames of 224x224, which is
 * what the cost of StructSA's video ablation says (arXiv 2404.03924, table 7).
 */
export function deitConfig(size: DeiTSize, options: DeiTOptions = {}): VisionTransformerConfig {
  const { gridRank = 2, mixer = plainAttention(), pooling = 'token' } = options;
  return {
    gridRank,
    inputSize: inputSize(gridRank),
    patch: gridRank === 3 ? { kernel: [2, 16, 16], temporalStride: 2 } : { kernel: [16, 16] },
    dim: DIMS[size],
    depth: 12,
    mixer,
    pooling,
    dropPath: 0.1,
  };
}

function inputSize(gridRank: 2 | 3): Grid {
  return gridRank === 3 ? [16, 224, 224] : [224, 224];
}

interface Family {
  /** what stands between size and pooling in the name */
  readonly infix: string;
  readonly title: string;
  readonly mixer: () => MixerSpec;
  readonly source: Pick<PretrainedConfig, 'paper' | 'repository' | 'licence' | 'notes'>;
}

const STRUCTVIT = {
  paper: 'Kim et al., Learning Correlation Structures for Vision Transformers, CVPR 2024, arXiv 2404.03924',
  repository: 'https://github.com/KimManjin/StructViT',
  licence: 'MIT',
  notes: [
    'Neither code nor weights are public: start from random weights or from those of DeiT.',
    'Whether the paper keeps the class token is not known.',
  ],
};

const FAMILIES: readonly Family[] = [
  {
    infix: '',
    title: '',
    mixer: plainAttention,
    source: {
      paper: 'Touvron et al., Training data-efficient image transformers, ICML 2021, arXiv 2012.12877',
      repository: 'https://github.com/facebookresearch/deit',
      licence: 'Apache-2.0',
      notes: [],
    },
  },
  { infix: '_convsa', title: ' with ConvSA', mixer: () => structSA({ detectors: 1 }), source: STRUCTVIT },
  { infix: '_structsa', title: ' with StructSA, D = 4', mixer: () => structSA(), source: STRUCTVIT },
];

type Entry = readonly [name: string, entry: ModelEntry<VisionTransformerConfig>];

function images({ infix, title, mixer, source }: Family, size: DeiTSize, pooling: Pooling): Entry {
  const name = `deit_${size}${infix}${pooling === 'mean' ? '_mean' : ''}`;
  const notes = pooling === 'mean' ? [...source.notes, 'Mean pooling is a variation of ours.'] : source.notes;
  const pretrained = imagePretrained({ name, ...source, notes });
  const summary = `${titleOf(size)}${title}${pooling === 'mean' ? ', mean pooling' : ''}, images`;
  const { input, numClasses, paper } = pretrained;
  return [
    name,
    { config: () => deitConfig(size, { mixer: mixer(), pooling }), input, numClasses, summary, paper, pretrained },
  ];
}

/** The ablation on Something-Something V1; how its clips are normalised and cropped is not published. */
function clips({ infix, title, mixer }: Family): Entry {
  const config = () => deitConfig('s', { gridRank: 3, mixer: mixer() });
  const summary = `${titleOf('s')}${title}, clips`;
  return [`deit_s${infix}_video`, { config, input: inputSize(3), numClasses: 174, summary, paper: STRUCTVIT.paper }];
}

function titleOf(size: DeiTSize): string {
  return `DeiT-${size === 'ti' ? 'Ti' : size.toUpperCase()}`;
}

/**
 * `deit_{ti,s,b}` with a class token, as published; `_convsa` and `_structsa` replace the attention of all blocks, `_mean`
 * the class token by mean pooling. `deit_s{,_convsa,_structsa}_video` are those of StructSA's video ablation.
 */
export const DEIT_MODELS: readonly Entry[] = FAMILIES.flatMap((family) => [
  ...(['ti', 's', 'b'] as const).flatMap((size) => [images(family, size, 'token'), images(family, size, 'mean')]),
  clips(family),
]);
