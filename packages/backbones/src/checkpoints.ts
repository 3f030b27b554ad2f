import type { Grid } from '@saccade/nn';

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
  /** name of the file */
  readonly file: string;
  readonly url: string;
  /** the key under which the state dict lies in it; some copies hold the state dict bare */
  readonly container: 'model' | 'model_state';
  /** what it was trained on last */
  readonly dataset: string;
  readonly numClasses: number;
  /** [H, W] or [T, H, W] */
  readonly input: Grid;
  /** of clips: how their frames were taken */
  readonly sampling?: ClipSampling;
  /** SPDX identifier that the publisher states for the file */
  readonly licence: string;
}

/** Dense clips of Kinetics: four of them, one crop. */
export function denseSampling(frames: number, interval: number): ClipSampling {
  return { kind: 'dense', frames, interval, clips: 4, crops: 1 };
}

/** One frame from each of as many equal segments: one clip, three crops. */
function segmentSampling(frames: number): ClipSampling {
  return { kind: 'segments', frames, clips: 1, crops: 3 };
}

const HUGGING_FACE = 'https://huggingface.co/Sense-X';

function imageFile(file: string): Checkpoint {
  return {
    file,
    url: `${HUGGING_FACE}/uniformer_image/resolve/main/${file}`,
    container: 'model',
    dataset: 'ImageNet-1K',
    numClasses: 1000,
    input: [224, 224],
    licence: 'MIT',
  };
}

function videoFile(file: string, dataset: string, numClasses: number, sampling: ClipSampling): Checkpoint {
  return {
    file,
    url: `${HUGGING_FACE}/uniformer_video/resolve/main/${file}`,
    container: 'model_state',
    dataset,
    numClasses,
    input: [sampling.frames, 224, 224],
    sampling,
    licence: 'MIT',
  };
}

function deitFile(file: string): Checkpoint {
  return {
    file,
    url: `https://dl.fbaipublicfiles.com/deit/${file}`,
    container: 'model',
    dataset: 'ImageNet-1K',
    numClasses: 1000,
    input: [224, 224],
    licence: 'Apache-2.0',
  };
}

/** The files that can be fetched by a plain request, by the name of the model that they fit. */
export const CHECKPOINTS: ReadonlyMap<string, readonly Checkpoint[]> = new Map([
  ['uniformer_s', [imageFile('uniformer_small_in1k.pth')]],
  ['uniformer_s_plus', [imageFile('uniformer_small_plus_in1k.pth')]],
  ['uniformer_b', [imageFile('uniformer_base_in1k.pth')]],
  [
    'uniformer_s_video',
    [
      videoFile('uniformer_small_k400_16x8.pth', 'Kinetics-400', 400, denseSampling(16, 8)),
      videoFile('uniformer_small_k600_16x8.pth', 'Kinetics-600', 600, denseSampling(16, 8)),
      videoFile('uniformer_small_sthv1_16_prek600.pth', 'Something-Something V1', 174, segmentSampling(16)),
      videoFile('uniformer_small_sthv2_16_prek600.pth', 'Something-Something V2', 174, segmentSampling(16)),
    ],
  ],
  [
    'uniformer_b_video',
    [
      videoFile('uniformer_base_k400_32x4.pth', 'Kinetics-400', 400, denseSampling(32, 4)),
      videoFile('uniformer_base_k600_32x4.pth', 'Kinetics-600', 600, denseSampling(32, 4)),
      videoFile('uniformer_base_sthv1_32_prek600.pth', 'Something-Something V1', 174, segmentSampling(32)),
      videoFile('uniformer_base_sthv2_32_prek600.pth', 'Something-Something V2', 174, segmentSampling(32)),
    ],
  ],
  ['deit_ti', [deitFile('deit_tiny_patch16_224-a1311bcf.pth')]],
  ['deit_s', [deitFile('deit_small_patch16_224-cd65a155.pth')]],
  ['deit_b', [deitFile('deit_base_patch16_224-b5f2ef4d.pth')]],
]);
