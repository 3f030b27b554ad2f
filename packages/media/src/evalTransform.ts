import { centerCrop } from './crop.ts';
import { ImageError } from './errors.ts';
import type { ResizeFilter } from './filters.ts';
import { checkImage, checkSide, type PixelImage } from './image.ts';
import { checkFilter, resize } from './resize.ts';

/** Mean and standard deviation of the red, green and blue values (0 to 1) of ImageNet's training images. */
export const IMAGENET_MEAN: readonly number[] = [0.485, 0.456, 0.406];
export const IMAGENET_STD: readonly number[] = [0.229, 0.224, 0.225];

export interface EvalTransformOptions {
  /** Side of the square the model takes, in pixels. Default 224. */
  readonly size?: number;
  /** Short side of the image before cropping, in pixels. Default: {@link deitShortSide} of `size`. */
  readonly shortSide?: number;
  /** The same as a fraction, as timm states it: short side = floor(size / cropPct). Excludes `shortSide`. */
  readonly cropPct?: number;
  /** Default 'bicubic'. */
  readonly filter?: ResizeFilter;
  /** Subtracted from each channel's values of 0 to 1. Default IMAGENET_MEAN. */
  readonly mean?: readonly number[];
  /** Divides each channel after that. Default IMAGENET_STD. */
  readonly std?: readonly number[];
}

/** What a model takes: `data` of shape [size, size, C], row-major, channels last. */
export interface ImageTensor {
  readonly data: Float32Array;
  readonly shape: readonly [number, number, number];
}

/** Short side before cropping to `size` in DeiT's evaluation: 256/224 of it, rounded down (224: 256, 384: 438). */
export function deitShortSide(size: number): number {
  return Math.trunc((256 / 224) * size);
}

/**
 * Width and height after resizing the short side to `shortSide`, as torchvision's Resize computes them: the long side is
 * shortSide * long / short, rounded down.
 */
export function shortSideSize(width: number, height: number, shortSide: number): { width: number; height: number } {
  const long = Math.trunc((shortSide * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: shortSide, height: long } : { width: long, height: shortSide };
}

/**
 * The evaluation transform of DeiT (and of most image models trained with PyTorch): resize the short side, cut the
 * middle square, scale to 0..1 and normalise each channel, (value / 255 - mean) / std.
 *
 * Give it RGB images for the default mean and std (see toRgb); the number of channels must equal their length.
 *
 * Source: facebookresearch/deit `build_transform`, with Pillow's resizing to the byte.
 *
 * @throws ImageError InvalidOption, from the function it returns also InvalidImage and TooLarge
 * @example
 * const transform = evalTransform({ size: 224 });
 * const { data, shape } = transform(toRgb({ data: pixels, width, height, channels: 4 }));
 */
export function evalTransform(options: EvalTransformOptions = {}): (image: PixelImage) => ImageTensor {
  const { size = 224, filter = 'bicubic', mean = IMAGENET_MEAN, std = IMAGENET_STD } = options;
  checkSide('size', size, 'InvalidOption');
  checkFilter(filter);
  const shortSide = resolveShortSide(size, options);
  const tables = normalisation(mean, std);
  return (image) => {
    checkImage(image);
    if (image.channels !== tables.length) {
      throw new ImageError(
        'InvalidImage',
        `the image has ${image.channels} channels, mean and std have ${tables.length}. ` +
          'Convert it with toRgb, or give a mean and std for each channel.',
      );
    }
    const resized = resize(image, { ...shortSideSize(image.width, image.height, shortSide), filter });
    const pixels = centerCrop(resized, size).data;
    const data = new Float32Array(pixels.length);
    for (let i = 0; i < data.length; ) {
      for (const table of tables) {
        data[i] = table[pixels[i]!]!;
        i++;
      }
    }
    return { data, shape: [size, size, tables.length] };
  };
}

function resolveShortSide(size: number, { shortSide, cropPct }: EvalTransformOptions): number {
  if (shortSide !== undefined && cropPct !== undefined) {
    throw new ImageError('InvalidOption', `give shortSide (${shortSide}) or cropPct (${cropPct}), not both.`);
  }
  if (cropPct !== undefined && !(cropPct > 0 && cropPct <= 1)) {
    throw new ImageError('InvalidOption', `cropPct must be above 0 and at most 1, got ${String(cropPct)}.`);
  }
  const resolved = cropPct !== undefined ? Math.floor(size / cropPct) : (shortSide ?? deitShortSide(size));
  checkSide('shortSide', resolved, 'InvalidOption');
  if (resolved < size) {
    throw new ImageError(
      'InvalidOption',
      `shortSide is ${resolved}, less than the crop of ${size} pixels. Use at least ${size}.`,
    );
  }
  return resolved;
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
