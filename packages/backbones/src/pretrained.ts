import type { Grid } from '@saccade/nn';
import { CHECKPOINTS, type Checkpoint, type ClipSampling, denseSampling } from './checkpoints.ts';
import { DEIT_TRANSFORM, type EvalTransformConfig, UNIFORMER_CLIP_TRANSFORM } from './evalTransforms.ts';

/** How a named model was trained and is evaluated by those who published it. Frozen. */
export interface PretrainedConfig {
  /** [H, W] or [T, H, W] */
  readonly input: Grid;
  readonly numClasses: number;
  readonly transform: EvalTransformConfig;
  /** of clips */
  readonly sampling?: ClipSampling;
  readonly paper: string;
  /** where code, and what there is of weights, was published; none where neither was */
  readonly repository?: string;
  /** SPDX identifier of that repository's licence file; files of weights have their own */
  readonly licence?: string;
  /** files that fit this model; none for most models */
  readonly checkpoints: readonly Checkpoint[];
  /** names of the UniFormers from which `warmStartFromUniFormer` can start this StructViT, the nearest first */
  readonly warmStart?: readonly string[];
  /** what one should know before using them */
  readonly notes: readonly string[];
}

const CLIP_NOTE =
  'The public code resizes frames without antialiasing; evalTransform antialiases, which differs on frames much larger than the crop.';

/** What the entries of one family have in common. */
type Source = Pick<PretrainedConfig, 'paper' | 'repository' | 'licence'>;

/** What differs from model to model. */
interface Publication extends Source {
  /** of the model, by which its files are found */
  readonly name: string;
  readonly warmStart?: readonly string[];
  readonly notes?: readonly string[];
}

/** A model of ImageNet-1K at 224 pixels, evaluated as DeiT is. */
export function imagePretrained({ name, notes = [], ...publication }: Publication): PretrainedConfig {
  return frozen({
    ...publication,
    input: [224, 224],
    numClasses: 1000,
    transform: DEIT_TRANSFORM,
    checkpoints: CHECKPOINTS.filter(({ model }) => model === name),
    notes,
  });
}

/** A model of Kinetics-400 at 224 pixels, evaluated as UniFormer is. */
export function videoPretrained(
  { name, notes = [], ...publication }: Publication,
  clip: { readonly frames: number; readonly interval: number },
): PretrainedConfig {
  return frozen({
    ...publication,
    input: [clip.frames, 224, 224],
    numClasses: 400,
    transform: UNIFORMER_CLIP_TRANSFORM,
    sampling: denseSampling(clip.frames, clip.interval),
    checkpoints: CHECKPOINTS.filter(({ model }) => model === name),
    notes: [...notes, CLIP_NOTE],
  });
}

/** Freezes an object and everything in it. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
