import type { Grid } from '@saccade/nn';
import {
  DEIT_TRANSFORM,
  type EvalTransformConfig,
  RESNET_TRANSFORM,
  UNIFORMER_CLIP_TRANSFORM,
} from './evalTransforms.ts';

/** How the frames of a clip are taken from a video for the published figures. */
export type ClipSampling =
  | {
      /** every `interval`-th frame of a stretch; the clips lie evenly over the video */
      readonly kind: 'dense';
      readonly frames: number;
      readonly interval: number;
      readonly clips: number;
      readonly crops: number;
    }
  | {
      /** one frame from the middle of each of as many equal segments of the whole video */
      readonly kind: 'segments';
      readonly frames: number;
      readonly clips: number;
      readonly crops: number;
    };

/** A public file of weights. */
export interface Checkpoint {
  /** the model, a dot, the data set, and who stores it where there are several: `uniformer_s.in1k` */
  readonly name: string;
  /** that it fits: a name for `createModel` */
  readonly model: string;
  /** name of the file */
  readonly file: string;
  /** where it lies: an address, or `hf:owner/repo/file` of the Hugging Face hub, as `fetchWeights` takes them */
  readonly reference: string;
  /** SHA-256 of the file as its publisher states it, or the first digits where only these are stated; undefined: nowhere */
  readonly sha256?: string;
  /** the names in it: one of KEY_LAYOUTS of @saccade/weights */
  readonly layout: 'uniformer' | 'vit' | 'resnet' | 'resnet-video' | 'tsm';
  /** the key under which the state dict lies in it (some copies hold it bare); undefined: none */
  readonly container?: 'model' | 'model_state' | 'state_dict';
  /** what it was trained on last */
  readonly dataset: string;
  readonly numClasses: number;
  /** [H, W] or [T, H, W] */
  readonly input: Grid;
  readonly transform: EvalTransformConfig;
  /** of clips: how their frames were taken */
  readonly sampling?: ClipSampling;
  /** SPDX identifier of what the publisher states for the file, or else for its repository */
  readonly licence: string;
  /** whether this project has downloaded the file, run it and found the published figures */
  readonly verified: boolean;
  readonly notes?: readonly string[];
}

/** Dense clips of Kinetics: four of them, one crop. */
export function denseSampling(frames: number, interval: number): ClipSampling {
  return { kind: 'dense', frames, interval, clips: 4, crops: 1 };
}

/** One frame from each of as many equal segments: one clip, three crops. */
function segmentSampling(frames: number, crops = 3): ClipSampling {
  return { kind: 'segments', frames, clips: 1, crops };
}

/** What a file of ImageNet-1K at 224 pixels has in common with the others. */
const IN1K = { dataset: 'ImageNet-1K', numClasses: 1000, input: [224, 224], verified: false } as const;

/** The data sets of clips. */
const K400 = { dataset: 'Kinetics-400', numClasses: 400 } as const;
const K600 = { dataset: 'Kinetics-600', numClasses: 600 } as const;
const STHV1 = { dataset: 'Something-Something V1', numClasses: 174 } as const;
const STHV2 = { dataset: 'Something-Something V2', numClasses: 174 } as const;

type Clips = Pick<Checkpoint, 'dataset' | 'numClasses'>;

function uniformerImages(model: string, file: string, sha256?: string): Checkpoint {
  return {
    name: `${model}.in1k`,
    model,
    file,
    reference: `hf:Sense-X/uniformer_image/${file}`,
    ...(sha256 === undefined ? {} : { sha256 }),
    layout: 'uniformer',
    container: 'model',
    ...IN1K,
    transform: DEIT_TRANSFORM,
    licence: 'MIT',
  };
}

function uniformerClips(name: string, file: string, clips: Clips, sampling: ClipSampling, sha256: string): Checkpoint {
  return {
    name,
    model: name.slice(0, name.indexOf('.')),
    file,
    reference: `hf:Sense-X/uniformer_video/${file}`,
    sha256,
    layout: 'uniformer',
    container: 'model_state',
    ...clips,
    input: [sampling.frames, 224, 224],
    transform: UNIFORMER_CLIP_TRANSFORM,
    sampling,
    licence: 'MIT',
    verified: false,
  };
}

function deit(model: string, file: string, sha256: string): Checkpoint {
  return {
    name: `${model}.in1k`,
    model,
    file,
    reference: `https://dl.fbaipublicfiles.com/deit/${file}`,
    sha256,
    layout: 'vit',
    container: 'model',
    ...IN1K,
    transform: DEIT_TRANSFORM,
    licence: 'Apache-2.0',
  };
}

function deitOfTimm(model: string, size: string, sha256?: string): Checkpoint {
  return {
    name: `${model}.in1k.timm`,
    model,
    file: 'model.safetensors',
    reference: `hf:timm/deit_${size}_patch16_224.fb_in1k/model.safetensors`,
    ...(sha256 === undefined ? {} : { sha256 }),
    layout: 'vit',
    ...IN1K,
    transform: DEIT_TRANSFORM,
    licence: 'Apache-2.0',
  };
}

const TORCHVISION_NOTE =
  'The licence is that of torchvision; its README says that weights may have terms of their own, derived from their data.';

function torchvision(name: string, sha256: string, shortSide: number, notes: readonly string[] = []): Checkpoint {
  const model = name.slice(0, name.indexOf('.'));
  const file = `${model}-${sha256}.pth`;
  return {
    name,
    model,
    file,
    reference: `https://download.pytorch.org/models/${file}`,
    sha256,
    layout: 'resnet',
    ...IN1K,
    transform: { ...RESNET_TRANSFORM, shortSide },
    licence: 'BSD-3-Clause',
    notes: [...notes, TORCHVISION_NOTE],
  };
}

const TSM_NOTE = 'The licence is that of the repository; the files have moved between servers of MIT more than once.';

function tsm(
  name: string,
  layout: 'tsm' | 'resnet-video',
  file: string,
  clips: Clips,
  notes: string[] = [],
): Checkpoint {
  return {
    name,
    model: name.slice(0, name.indexOf('.')),
    file,
    reference: `https://hanlab18.mit.edu/projects/tsm/models/${file}`,
    layout,
    container: 'state_dict',
    ...clips,
    input: [8, 224, 224],
    transform: RESNET_TRANSFORM,
    sampling: segmentSampling(8, 1),
    licence: 'MIT',
    verified: false,
    notes: [...notes, TSM_NOTE],
  };
}

/**
 * The files that can be fetched by a plain request. None of them has been downloaded by this project: addresses, hashes and
 * licences are as their publishers state them.
 */
export const CHECKPOINTS: readonly Checkpoint[] = [
  uniformerImages('uniformer_s', 'uniformer_small_in1k.pth'),
  uniformerImages(
    'uniformer_s_plus',
    'uniformer_small_plus_in1k.pth',
    '53bc55180eb750f00b12933c75fefb5f9ee652bea606cd26104b738f0c4c472e',
  ),
  uniformerImages(
    'uniformer_b',
    'uniformer_base_in1k.pth',
    '82c01015818cb897b00a29352043053df53ce4c02c2d012226b3a8a12ccb60eb',
  ),
  uniformerClips(
    'uniformer_s_video.k400',
    'uniformer_small_k400_16x8.pth',
    K400,
    denseSampling(16, 8),
    'd5fd7b0c49ee6a5422ef5d0c884d962c742003bfbd900747485eb99fa269d0db',
  ),
  uniformerClips(
    'uniformer_s_video.k600',
    'uniformer_small_k600_16x8.pth',
    K600,
    denseSampling(16, 8),
    '2a9143a63691c442b23f912ed3489e5800fc5916fb7aa1b25322ad5da2466c6f',
  ),
  uniformerClips(
    'uniformer_s_video.sthv1',
    'uniformer_small_sthv1_16_prek600.pth',
    STHV1,
    segmentSampling(16),
    '9a4dbb1e6e2adeb817959edcfbd43cdbb41c7e5c1393f6a3335d0a089d4ba424',
  ),
  uniformerClips(
    'uniformer_s_video.sthv2',
    'uniformer_small_sthv2_16_prek600.pth',
    STHV2,
    segmentSampling(16),
    '6b085f96980edf491386893902a5a304a63f4da395d528bcdeef6e7464bd160f',
  ),
  uniformerClips(
    'uniformer_b_video.k400',
    'uniformer_base_k400_32x4.pth',
    K400,
    denseSampling(32, 4),
    'b432450566cdc4f50222e4851b5d304bba4444a699cdbb43fa529ceb18ae1f8e',
  ),
  uniformerClips(
    'uniformer_b_video.k600',
    'uniformer_base_k600_32x4.pth',
    K600,
    denseSampling(32, 4),
    'd44685e1d12e5aa413032e7719a8be45b95a19da4e7f76ac0e811f9a6f4825ae',
  ),
  uniformerClips(
    'uniformer_b_video.sthv1',
    'uniformer_base_sthv1_32_prek600.pth',
    STHV1,
    segmentSampling(32),
    '8da7f948d7fcc72444dd3783ff12fb18e997d78acc3d70135d14687433448090',
  ),
  uniformerClips(
    'uniformer_b_video.sthv2',
    'uniformer_base_sthv2_32_prek600.pth',
    STHV2,
    segmentSampling(32),
    'b7a74408ed230e9671d30da2f596bef84900aaaa325a5793f6cb3ba25f721eae',
  ),
  deit('deit_ti', 'deit_tiny_patch16_224-a1311bcf.pth', 'a1311bcf'),
  deit('deit_s', 'deit_small_patch16_224-cd65a155.pth', 'cd65a155'),
  deit('deit_b', 'deit_base_patch16_224-b5f2ef4d.pth', 'b5f2ef4d'),
  deitOfTimm('deit_ti', 'tiny', '21d4764d94f6c3ffdb6da3581115a0a1ee2d505537d96883b540e54766407c9e'),
  deitOfTimm('deit_s', 'small'),
  deitOfTimm('deit_b', 'base'),
  torchvision('resnet50.in1k_v1', '0676ba61', 256),
  torchvision('resnet50.in1k_v2', '11ad3fa6', 232),
  torchvision('resnet50.in1k_2017', '19c8e357', 256, [
    'From it TSM and AIA start. It was written by PyTorch before 0.4.',
  ]),
  torchvision('resnet101.in1k_v1', '63fe2227', 256),
  torchvision('resnet101.in1k_v2', 'cd907fc2', 232),
  tsm('tsm_resnet50.k400', 'tsm', 'TSM_kinetics_RGB_resnet50_shift8_blockres_avg_segment8_e50.pth', K400),
  tsm('tsm_resnet50.sthv1', 'tsm', 'TSM_something_RGB_resnet50_shift8_blockres_avg_segment8_e45.pth', STHV1),
  tsm('tsm_resnet50.sthv2', 'tsm', 'TSM_somethingv2_RGB_resnet50_shift8_blockres_avg_segment8_e45.pth', STHV2, [
    'The published figure is for two clips of each video.',
  ]),
  tsm('tsn_resnet50.k400', 'resnet-video', 'TSM_kinetics_RGB_resnet50_avg_segment5_e50.pth', K400),
];
