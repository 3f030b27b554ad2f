import { ImageError } from './errors.ts';
import { checkImage, type PixelImage } from './image.ts';

/** Mean and standard deviation of the red, green and blue values (0 to 1) of ImageNet's training images. */
export const IMAGENET_MEAN: readonly number[] = [0.485, 0.456, 0.406];
export const IMAGENET_STD: readonly number[] = [0.229, 0.224, 0.225];

/** Options of {@link normalize}. */
export interface NormalizeOptions {
  /** Subtracted from each channel's values of 0 to 1. Default IMAGENET_MEAN. */
  readonly mean?: readonly number[];
  /** Divides each channel after that. Default IMAGENET_STD. */
  readonly std?: readonly number[];
}

/** What a model takes: `data` of shape [H, W, C], row-major, channels last. */
export interface ImageTensor {
  readonly data: Float32Array;
  readonly shape: readonly [number, number, number];
}

/**
 * Makes the function that scales pixels to 0..1 and normalises each channel: `(value / 255 - mean) / std`.
 *
 * @throws ImageError InvalidOption; from the function it returns InvalidImage, if the channels are not as many as the means
 */
export function normalize(options: NormalizeOptions = {}): (image: PixelImage) => ImageTensor {
  const tables = normalisation(options.mean ?? IMAGENET_MEAN, options.std ?? IMAGENET_STD);
  return (image) => {
    checkImage(image);
    const { data: pixels, height, width, channels } = image;
    if (channels !== tables.length) {
      throw new ImageError(
        'InvalidImage',
        `the image has ${channels} channels, mean and std have ${tables.length}. ` +
          'Convert it with toRgb, or give a mean and std for each channel.',
      );
    }
    const data = new Float32Array(pixels.length);
    for (let i = 0; i < data.length; ) {
      for (const table of tables) {
        data[i] = table[pixels[i]!]!;
        i++;
      }
    }
    return { data, shape: [height, width, channels] };
  };
}

/** For each channel the normalised value of each of the 256 pixel values. */
function normalisation(mean: readonly number[], std: readonly number[]): Float32Array[] {
  const bothArrays = Array.isArray(mean) && Array.isArray(std);
  if (!bothArrays || mean.length !== std.length || mean.length < 1 || mean.length > 4) {
    throw new ImageError(
      'InvalidOption',
      `mean and std must be arrays with one number for each of 1 to 4 channels, got [${String(mean)}] and [${String(std)}].`,
    );
  }
  return mean.map((m, channel) => {
    const s = std[channel]!;
    if (!Number.isFinite(m) || !Number.isFinite(s) || s <= 0) {
      throw new ImageError(
        'InvalidOption',
        `channel ${channel} has mean ${m} and std ${s}; expected finite numbers and a std above 0.`,
      );
    }
    return Float32Array.from({ length: 256 }, (_, value) => (value / 255 - m) / s);
  });
}
