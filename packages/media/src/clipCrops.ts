import type { CropBox } from './crop.ts';
import { ImageError } from './errors.ts';
import { below, type RandomSource } from './frames.ts';
import { checkSide } from './image.ts';
import { roundHalfEven } from './rounding.ts';

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A crop for all frames of a clip, and whether they are mirrored after it. */
export interface ClipCrop extends CropBox {
  readonly flip: boolean;
}

/**
 * The 13 places where TSN puts a crop: the corners, the middle, the middles of the edges and the middles of the quarters, on
 * a grid of `floor((W - w)/4)` by `floor((H - h)/4)`; so "right" is four steps, up to 3 pixels short of the edge.
 *
 * @returns in the order of the public code, from which a random one is drawn in training
 */
export function fixedOffsets(image: Size, crop: Size): { readonly left: number; readonly top: number }[] {
  const x = Math.floor((image.width - crop.width) / 4);
  const y = Math.floor((image.height - crop.height) / 4);
  return PLACES.map(([column, row]) => ({ left: column * x, top: row * y }));
}

/** Steps to the right and down. */
const PLACES = [
  [0, 0],
  [4, 0],
  [0, 4],
  [4, 4],
  [2, 2],
  [0, 2],
  [4, 2],
  [2, 4],
  [2, 0],
  [1, 1],
  [3, 1],
  [1, 3],
  [3, 3],
] as const;

/**
 * The crops of one evaluation: 1, the middle; 3, left, right and middle at full height; 5, the corners and the middle; 10,
 * those five, each followed by its mirror image.
 *
 * @param size side of the square
 * @throws ImageError InvalidOption for another number, or a square that does not fit
 */
export function testCrops(count: 1 | 3 | 5 | 10, image: Size, size: number): ClipCrop[] {
  checkSide('size', size, 'InvalidOption');
  if (size > image.width || size > image.height) {
    throw new ImageError(
      'InvalidOption',
      `crops of ${size} x ${size} do not fit into frames of ${image.width} x ${image.height} pixels.`,
    );
  }
  const square = { width: size, height: size };
  const boxes = (offsets: readonly { left: number; top: number }[], flip = false): ClipCrop[] =>
    offsets.map((offset) => ({ ...offset, ...square, flip }));
  const x = Math.floor((image.width - size) / 4);
  const y = Math.floor((image.height - size) / 4);
  const five = fixedOffsets(image, square).slice(0, 5);
  switch (count) {
    case 1:
      return boxes([{ left: roundHalfEven((image.width - size) / 2), top: roundHalfEven((image.height - size) / 2) }]);
    case 3:
      return boxes([0, 4 * x, 2 * x].map((left) => ({ left, top: 2 * y })));
    case 5:
      return boxes(five);
    case 10:
      return five.flatMap((offset) => [...boxes([offset]), ...boxes([offset], true)]);
    default:
      throw new ImageError('InvalidOption', `count must be 1, 3, 5 or 10, got ${String(count)}.`);
  }
}

/** Options of {@link multiScaleCrop}. */
export interface MultiScaleOptions {
  /** of the shorter side of a frame; default 1, 0.875, 0.75, 0.66 */
  readonly scales?: readonly number[];
  /** side that the crop is resized to afterwards: a crop within 2 pixels of it is taken at exactly that size; default 224 */
  readonly size?: number;
}

/**
 * The widths and heights that a multi-scale crop draws from: each side `trunc(short * scale)`, the two at most one scale
 * apart, in the order of the public code. 10 pairs for the 4 default scales.
 */
export function multiScaleSizes(image: Size, options: MultiScaleOptions = {}): Size[] {
  const { scales = [1, 0.875, 0.75, 0.66], size = 224 } = options;
  const short = Math.min(image.width, image.height);
  const sides = scales.map((scale) => {
    if (!(scale > 0 && scale <= 1)) {
      throw new ImageError('InvalidOption', `scales must be above 0 and at most 1, got ${String(scale)}.`);
    }
    const side = Math.trunc(short * scale);
    return Math.abs(side - size) < 3 ? size : side;
  });
  return sides.flatMap((height, i) => sides.flatMap((width, j) => (Math.abs(i - j) <= 1 ? [{ width, height }] : [])));
}

/**
 * Draws a multi-scale crop, one for all frames of a clip: a pair of {@link multiScaleSizes}, then a place of
 * {@link fixedOffsets}. Resize the result to a square with the filter `bilinear`.
 *
 * @throws ImageError InvalidOption for scales that cannot be
 */
export function multiScaleCrop(random: RandomSource, image: Size, options: MultiScaleOptions = {}): CropBox {
  const sizes = multiScaleSizes(image, options);
  const size = sizes[below(random, sizes.length)] as Size;
  const offsets = fixedOffsets(image, size);
  return { ...size, ...(offsets[below(random, offsets.length)] as { left: number; top: number }) };
}
