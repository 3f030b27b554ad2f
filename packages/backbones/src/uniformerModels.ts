import { type MixerSpec, plainAttention } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import type { BackboneConfig } from './config.ts';
import type { ModelEntry } from './modelEntry.ts';
import { picoVideoConfig } from './pico.ts';
import { imagePretrained, type PretrainedConfig, videoPretrained } from './pretrained.ts';
import { UNIFORMER_LAYER_SCALE, type UniFormerOptions, type UniFormerSize, uniformerConfig } from './uniformer.ts';

type Entry = readonly [name: string, entry: ModelEntry<BackboneConfig>];

/** Whose models they are. */
interface Family {
  /** what their names begin with */
  readonly prefix: string;
  readonly title: string;
  readonly source: Pick<PretrainedConfig, 'paper' | 'repository' | 'licence'>;
  readonly notes: readonly string[];
}

const UNIFORMER: Family = {
  prefix: 'uniformer',
  title: 'UniFormer',
  source: {
    paper: 'Li et al., UniFormer, arXiv 2201.09450',
    repository: 'https://github.com/Sense-X/UniFormer',
    licence: 'Apache-2.0',
  },
  notes: ['The licence is that of the file LICENSE in the repository; its README says MIT.'],
};

const STRUCTVIT: Family = {
  prefix: 'structvit',
  title: 'StructViT',
  source: {
    paper: 'Kim et al., Learning Correlation Structures for Vision Transformers, CVPR 2024, arXiv 2404.03924',
    repository: 'https://github.com/KimManjin/StructViT',
    licence: 'MIT',
  },
  notes: ['Neither code nor weights are public: start from random weights or from a UniFormer.'],
};

const TOKEN_LABELLING_NOTES = [
  'The public code of UniFormer evaluates these with what the installed timm says: crop 0.9, mean and std by its version.',
  'Those of UniFormer are on Google Drive only, at 224 and 384 pixels: see the tables in its repository.',
];

/** What makes one model of a family differ from another. */
interface Variant extends Pick<UniFormerOptions, 'mixer' | 'headDim'> {
  readonly size: UniFormerSize;
  readonly layerScale?: boolean;
  readonly tokenLabelling?: boolean;
  /** the UniFormers whose weights it can start from */
  readonly warmStart?: readonly string[];
}

function images(family: Family, suffix: string, title: string, variant: Variant): Entry {
  const { size, layerScale, tokenLabelling, warmStart, ...options } = variant;
  const name = `${family.prefix}_${suffix}`;
  const config = (): BackboneConfig => ({
    ...uniformerConfig(size, options),
    ...(layerScale ? { layerScale: UNIFORMER_LAYER_SCALE } : {}),
    ...(tokenLabelling ? { tokenLabelling } : {}),
  });
  const notes = [...family.notes, ...(tokenLabelling ? TOKEN_LABELLING_NOTES : [])];
  const pretrained = imagePretrained({ name, ...family.source, notes, ...(warmStart ? { warmStart } : {}) });
  return [name, entry(config, `${family.title}-${title}, images`, pretrained)];
}

function clips(family: Family, suffix: string, title: string, { size, mixer, warmStart }: Variant): Entry {
  const name = `${family.prefix}_${suffix}_video`;
  // The stretch that UniFormer's public files cover: 16 frames of 128, or 32 of 128.
  const clip = size === 's' ? { frames: 16, interval: 8 } : { frames: 32, interval: 4 };
  const config = () => uniformerConfig(size, { gridRank: 3, ...(mixer ? { mixer } : {}) });
  const publication = { name, ...family.source, notes: family.notes, ...(warmStart ? { warmStart } : {}) };
  return [name, entry(config, `${family.title}-${title}, clips`, videoPretrained(publication, clip))];
}

function entry(config: () => BackboneConfig, summary: string, pretrained: PretrainedConfig): Entry[1] {
  const { input, numClasses, paper } = pretrained;
  return { config, input, numClasses, summary, paper, pretrained };
}

/**
 * What the public code of UniFormer has beside S, B and L: `_plus` overlapping patches and more blocks, `_ls` layer scale,
 * `_tl` token labelling. `_plus`, and S and B with token labelling, have heads of 32 channels there; `_dim64` has 64.
 */
const UNIFORMER_VARIANTS: readonly (readonly [suffix: string, title: string, variant: Variant])[] = [
  ['s_plus', 'S+', { size: 's_plus' }],
  ['s_plus_dim64', 'S+, heads of 64', { size: 's_plus', headDim: 64 }],
  ['b_ls', 'B, layer scale', { size: 'b', layerScale: true }],
  ['l_ls', 'L, layer scale', { size: 'l', layerScale: true }],
  ['s_tl', 'S, token labelling, heads of 32', { size: 's', headDim: 32, tokenLabelling: true }],
  ['s_tl_dim64', 'S, token labelling', { size: 's', tokenLabelling: true }],
  ['s_plus_tl', 'S+, token labelling', { size: 's_plus', tokenLabelling: true }],
  ['s_plus_tl_dim64', 'S+, token labelling, heads of 64', { size: 's_plus', headDim: 64, tokenLabelling: true }],
  ['b_tl', 'B, token labelling, heads of 32', { size: 'b', headDim: 32, tokenLabelling: true }],
  ['b_tl_dim64', 'B, token labelling', { size: 'b', tokenLabelling: true }],
  ['l_ls_tl', 'L, layer scale, token labelling', { size: 'l', layerScale: true, tokenLabelling: true }],
];

/** StructViT-{size}-{D}-{stride} of the paper. */
const STRUCTVITS = ['s_4_2', 's_4_1', 's_8_1', 'b_4_2', 'b_4_1', 'b_8_1', 'l_4_1'] as const;

function structvit(name: (typeof STRUCTVITS)[number]): Entry[] {
  const [size, detectors, stride] = name.split('_') as ['s' | 'b' | 'l', string, string];
  const [title, mixer] = [
    name.replaceAll('_', '-').toUpperCase(),
    structSA({ detectors: Number(detectors), stride: Number(stride) }),
  ];
  const [image, video] = [`uniformer_${size}`, `uniformer_${size}_video`];
  const models = [
    images(STRUCTVIT, name, title, { size, mixer, warmStart: [image] }),
    clips(STRUCTVIT, name, title, { size, mixer, warmStart: [video, image] }),
  ];
  if (!name.endsWith('_4_1')) return models;
  // The rows that the paper's tables mark with a star.
  const starred: Variant = { size, mixer, tokenLabelling: true, warmStart: [image] };
  return [...models, images(STRUCTVIT, `${name}_tl`, `${title}, token labelling`, starred)];
}

function pico(name: string, mixer: MixerSpec, summary: string, { source }: Family): Entry {
  const { paper } = source;
  return [name, { config: () => picoVideoConfig(mixer), input: [8, 32, 32], numClasses: 16, summary, paper }];
}

/** UniFormer and StructViT, for images and clips, and the small pair of the demo. */
export const UNIFORMER_MODELS: readonly Entry[] = [
  ...(['s', 'b', 'l'] as const).flatMap((size) => [
    images(UNIFORMER, size, size.toUpperCase(), { size }),
    clips(UNIFORMER, size, size.toUpperCase(), { size }),
  ]),
  ...UNIFORMER_VARIANTS.map(([suffix, title, variant]) => images(UNIFORMER, suffix, title, variant)),
  ...STRUCTVITS.flatMap(structvit),
  pico(
    'structvit_pico_video',
    structSA({ detectors: 4, stride: 2 }),
    'StructViT for 8 frames of 32x32 gray pixels, ours',
    STRUCTVIT,
  ),
  pico('uniformer_pico_video', plainAttention(), "structvit_pico_video's twin with plain attention, ours", UNIFORMER),
];
