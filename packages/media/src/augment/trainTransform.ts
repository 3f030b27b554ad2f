import type { Size } from '../clipCrops.ts';
import { ImageError } from '../errors.ts';
import type { RandomSource } from '../frames.ts';
import type { PixelImage } from '../image.ts';
import { type NormalizeOptions, normalize } from '../normalize.ts';
import { type Change, changedImage, changedSize } from './changes.ts';
import { type ColorJitterOptions, colorJitter } from './color.ts';
import { type Erasure, erased, type RandomErasingOptions, randomErasing } from './erasing.ts';
import {
  type RandomResizedCropOptions,
  type RandomTransform,
  randomFlip,
  randomResizedCrop,
  sequence,
} from './geometry.ts';
import { parseRandAugment, randAugment } from './randAugment.ts';

/** Options of {@link trainTransform}. */
export interface TrainTransformOptions extends RandomResizedCropOptions, NormalizeOptions {
  /** what comes before the flip; default: {@link randomResizedCrop} with the options given here */
  readonly crop?: RandomTransform;
  /** probability of the mirror image; default 0.5 */
  readonly flip?: number;
  /** RandAugment as timm writes it; default `rand-m9-mstd0.5-inc1`; false: none */
  readonly randAugment?: string | false;
  /** default: none; timm uses it only without RandAugment */
  readonly colorJitter?: ColorJitterOptions;
  /** default: DeiT's, a quarter of the samples; false: none */
  readonly erasing?: RandomErasingOptions | false;
}

/** What was drawn for one sample, as plain data. */
export interface TrainDraw {
  readonly changes: readonly Change[];
  readonly erasures: readonly Erasure[];
}

/** A clip as a model takes it. */
export interface ClipTensor {
  readonly data: Float32Array;
  /** [T, H, W, C] */
  readonly shape: readonly [number, number, number, number];
}

/** Training transform of a sample: {@link TrainTransform.draw} once, then {@link TrainTransform.apply} to all of it. */
export interface TrainTransform {
  /** @param size of the sample's frames */
  draw(random: RandomSource, size: Size): TrainDraw;
  /**
   * The frames of a clip, or one image, as normalised values [T, H, W, C].
   *
   * @throws ImageError for frames of different sizes
   */
  apply(frames: readonly PixelImage[], drawn: TrainDraw): ClipTensor;
}

/**
 * The training transform of DeiT, and of UniFormer on images: a random resized crop, a flip, RandAugment, normalisation and
 * random erasing. For clips one draw serves all frames.
 *
 * Its masks and boxes: `changedMask` and `changedBoxes` with the `changes` that were drawn.
 *
 * @throws ImageError InvalidOption for values that cannot be
 */
export function trainTransform(options: TrainTransformOptions = {}): TrainTransform {
  const { crop, flip, randAugment: policy = 'rand-m9-mstd0.5-inc1', colorJitter: jitter, erasing = {} } = options;
  const changes = sequence(
    crop ?? randomResizedCrop(options),
    randomFlip(flip),
    ...(policy === false ? [] : [randAugment(parseRandAugment(policy))]),
    ...(jitter ? [colorJitter(jitter)] : []),
  );
  const erasures = erasing === false ? () => [] : randomErasing(erasing);
  const normalized = normalize(options);
  return {
    draw(random, size) {
      const drawn = changes(random, size);
      return { changes: drawn, erasures: erasures(random, changedSize(size, drawn)) };
    },
    apply(frames, drawn) {
      const tensors = frames.map((frame) => normalized(changedImage(frame, drawn.changes)));
      return erased(stacked(tensors), drawn.erasures);
    },
  };
}

function stacked(tensors: readonly { readonly data: Float32Array; readonly shape: readonly number[] }[]): ClipTensor {
  const [first] = tensors;
  if (!first) throw new ImageError('InvalidOption', 'frames must be at least one image, got none.');
  const other = tensors.find(({ shape }) => shape.join() !== first.shape.join());
  if (other) {
    const message = `all frames must be of one size, got [${first.shape}] and [${other.shape}] after the changes.`;
    throw new ImageError('InvalidImage', message);
  }
  const data = new Float32Array(tensors.length * first.data.length);
  for (const [t, tensor] of tensors.entries()) data.set(tensor.data, t * first.data.length);
  return { data, shape: [tensors.length, ...(first.shape as [number, number, number])] };
}
