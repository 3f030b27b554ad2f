import { type Cost, type Grid, type MixerSpec, plainAttention } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { ConfigError } from '@saccade/tensor-ops';
import { Backbone } from './Backbone.ts';
import type { BackboneConfig } from './config.ts';
import { backboneCost } from './cost.ts';
import { picoVideoConfig } from './pico.ts';
import { type UniFormerSize, uniformerConfig } from './uniformer.ts';

/** A named model: its configuration, and the input that its published figures are for. */
interface ModelEntry {
  readonly config: () => BackboneConfig;
  /** [H, W] or [T, H, W] */
  readonly input: Grid;
  readonly numClasses: number;
  readonly summary: string;
  readonly paper: string;
}

const UNIFORMER = 'Li et al., UniFormer, arXiv 2201.09450';
const STRUCTVIT = 'Kim et al., Learning Correlation Structures for Vision Transformers, CVPR 2024, arXiv 2404.03924';

/** StructViT-{size}-{D}-{stride} of the paper. */
const STRUCTVITS = ['s_4_2', 's_4_1', 's_8_1', 'b_4_2', 'b_4_1', 'b_8_1', 'l_4_1'] as const;

/** An image model and a video model of one size and mixer. */
function imageAndVideo(
  name: string,
  size: UniFormerSize,
  mixer: MixerSpec,
  about: { summary: string; paper: string },
): [string, ModelEntry][] {
  const frames = size === 's' ? 16 : 32;
  const entry = (gridRank: 2 | 3): ModelEntry => ({
    config: () => uniformerConfig(size, { gridRank, mixer }),
    input: gridRank === 3 ? [frames, 224, 224] : [224, 224],
    numClasses: gridRank === 3 ? 400 : 1000,
    summary: `${about.summary}, ${gridRank === 3 ? 'clips' : 'images'}`,
    paper: about.paper,
  });
  return [
    [name, entry(2)],
    [`${name}_video`, entry(3)],
  ];
}

function pico(name: string, mixer: MixerSpec, summary: string, paper: string): [string, ModelEntry] {
  return [name, { config: () => picoVideoConfig(mixer), input: [8, 32, 32], numClasses: 16, summary, paper }];
}

const MODELS: ReadonlyMap<string, ModelEntry> = new Map([
  ...(['s', 'b', 'l'] as const).flatMap((size) =>
    imageAndVideo(`uniformer_${size}`, size, plainAttention(), {
      summary: `UniFormer-${size.toUpperCase()}`,
      paper: UNIFORMER,
    }),
  ),
  ...STRUCTVITS.flatMap((variant) => {
    const [size, detectors, stride] = variant.split('_') as [UniFormerSize, string, string];
    return imageAndVideo(
      `structvit_${variant}`,
      size,
      structSA({ detectors: Number(detectors), stride: Number(stride) }),
      { summary: `StructViT-${variant.replaceAll('_', '-').toUpperCase()}`, paper: STRUCTVIT },
    );
  }),
  pico(
    'structvit_pico_video',
    structSA({ detectors: 4, stride: 2 }),
    'StructViT for 8 frames of 32x32 gray pixels, ours',
    STRUCTVIT,
  ),
  pico('uniformer_pico_video', plainAttention(), "structvit_pico_video's twin with plain attention, ours", UNIFORMER),
]);

/** The names that {@link createModel} knows, sorted; `*` in the pattern stands for anything. */
export function listModels(pattern = '*'): string[] {
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const matcher = new RegExp(`^${escaped.join('.*')}$`);
  return [...MODELS.keys()].filter((name) => matcher.test(name)).sort();
}

/** Options of {@link createModel}. */
export interface CreateModelOptions {
  /** default: that of the data set the paper trains on */
  readonly numClasses?: number;
  /** drop path rate; default: the paper's */
  readonly dropPath?: number;
  /** seeds weights and drop path; default 0 */
  readonly seed?: number;
}

/**
 * Builds a named model with random weights: `createModel('structvit_s_4_1', {numClasses: 10})`.
 *
 * @throws ConfigError for an unknown name, with the names that are near
 */
export function createModel(name: string, options: CreateModelOptions = {}): Backbone {
  return new Backbone(modelConfig(name, options));
}

/** The configuration of a named model, to change and give to `createBackbone`. */
export function modelConfig(name: string, options: CreateModelOptions = {}): BackboneConfig {
  const { config, numClasses } = findModel(name);
  return { ...config(), numClasses, ...options };
}

/** A named model's facts. */
export interface ModelInfo extends Cost {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  /** [H, W] or [T, H, W] of the sample that `macs` and `activationBytes` are for */
  readonly input: Grid;
  readonly numClasses: number;
}

/** Options of {@link modelInfo}. */
export interface ModelInfoOptions {
  /** [H, W] or [T, H, W]; default: the paper's */
  readonly input?: Grid;
  readonly numClasses?: number;
}

/**
 * Parameters, MACs and activations of a named model, counted without building it.
 *
 * @throws ConfigError for an unknown name, or an input of another rank than the model's
 */
export function modelInfo(name: string, options: ModelInfoOptions = {}): ModelInfo {
  const entry = findModel(name);
  const { input = entry.input, numClasses = entry.numClasses } = options;
  const { summary, paper } = entry;
  return { name, summary, paper, input, numClasses, ...backboneCost({ ...entry.config(), numClasses }, input) };
}

function findModel(name: string): ModelEntry {
  const entry = MODELS.get(name);
  if (entry) return entry;
  const family = name.split('_', 1)[0] as string;
  const near = listModels(`${family}*`);
  const known = near.length > 0 ? near : listModels();
  throw new ConfigError('name', 'a model of listModels()', name, `Near: ${known.join(', ')}.`);
}
