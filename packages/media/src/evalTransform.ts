import { centerCrop } from './crop.ts';
import { ImageError } from './errors.ts';
import type { ResizeFilter } from './filters.ts';
import { checkImage, checkSide, type PixelImage } from './image.ts';
import { type ImageTensor, type NormalizeOptions, normalize } from './normalize.ts';
import { checkFilter, resize } from './resize.ts';

export interface EvalTransformOptions extends NormalizeOptions {
  /** Side of the square the model takes, in pixels. Default 224. */
  readonly size?: number;
  /** Short side of the image before cropping, in pixels. Default: {@link deitShortSide} of `size`. */
  readonly shortSide?: number;
  /** The same as a fraction, as timm states it: short side = floor(size / cropPct). Excludes `shortSide`. */
  readonly cropPct?: number;
  /** Default 'bicubic'. */
  readonly filter?: ResizeFilter;
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
  const { size = 224, filter = 'bicubic' } = options;
  checkSide('size', size, 'InvalidOption');
  checkFilter(filter);
  const shortSide = resolveShortSide(size, options);
  const normalized = normalize(options);
  return (image) => {
    checkImage(image);
    return normalized(
      centerCrop(resize(image, { ...shortSideSize(image.width, image.height, shortSide), filter }), size),
    );
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
