import type { Size } from '../clipCrops.ts';
import { type CropBox, crop, flipHorizontal } from '../crop.ts';
import { ImageError } from '../errors.ts';
import type { ResizeFilter } from '../filters.ts';
import type { PixelImage } from '../image.ts';
import { resize } from '../resize.ts';
import { type AffineFilter, type AffineMatrix, affine, rotate } from './affine.ts';
import { adjustBrightness, adjustContrast, adjustSaturation, adjustSharpness } from './enhance.ts';
import { adjustHue } from './hue.ts';
import { autoContrast, equalize, invert, posterize, solarize, solarizeAdd } from './tone.ts';

/** A change of where things are in a picture. */
export type GeometricChange =
  | ({ readonly kind: 'crop' } & CropBox)
  | { readonly kind: 'resize'; readonly width: number; readonly height: number; readonly filter: ResizeFilter }
  | { readonly kind: 'flip' }
  | {
      readonly kind: 'affine';
      readonly matrix: AffineMatrix;
      readonly filter: AffineFilter;
      /** of each channel, where the picture has no pixel */
      readonly fill: readonly number[];
    }
  | {
      readonly kind: 'rotate';
      readonly degrees: number;
      readonly filter: AffineFilter;
      readonly fill: readonly number[];
    };

/** A change of the values of pixels alone. */
export type ColorChange =
  | { readonly kind: 'autoContrast' | 'equalize' | 'invert' }
  | { readonly kind: keyof typeof BY_VALUE; readonly value: number };

/**
 * One change of a picture, as plain data: what a random transform draws. Written down (as JSON, say), it can be done again,
 * to all frames of a clip, its masks and its boxes.
 */
export type Change = GeometricChange | ColorChange;

const BY_VALUE = {
  brightness: adjustBrightness,
  contrast: adjustContrast,
  saturation: adjustSaturation,
  sharpness: adjustSharpness,
  hue: adjustHue,
  posterize,
  solarize,
  solarizeAdd,
} as const;

const BY_HISTOGRAM = { autoContrast, equalize, invert } as const;

/** A picture after changes, one after the other. @throws ImageError what the functions for the single changes throw */
export function changedImage(image: PixelImage, changes: readonly Change[]): PixelImage {
  return changes.reduce((current, change) => {
    if ('value' in change) return BY_VALUE[change.kind](current, change.value);
    if (isGeometric(change)) return moved(current, change);
    return BY_HISTOGRAM[change.kind](current);
  }, image);
}

/**
 * A mask of class ids, one channel, after the geometric ones of changes: every pixel is that of the nearest, none is
 * mixed.
 *
 * @param outside id where the mask has no pixel; default 255, which losses ignore
 */
export function changedMask(mask: PixelImage, changes: readonly Change[], outside = 255): PixelImage {
  if (mask.channels !== 1) {
    throw new ImageError('InvalidImage', `a mask must have 1 channel, got ${mask.channels}.`);
  }
  return changes.filter(isGeometric).reduce((current, change) => {
    if (change.kind === 'crop' || change.kind === 'flip') return moved(current, change);
    if (change.kind === 'resize') return moved(current, { ...change, filter: 'nearest' });
    return moved(current, { ...change, filter: 'nearest', fill: [outside] });
  }, mask);
}

/** Width and height of a picture after changes. */
export function changedSize(size: Size, changes: readonly Change[]): Size {
  return changes.reduce(
    (current, change) =>
      change.kind === 'crop' || change.kind === 'resize' ? { width: change.width, height: change.height } : current,
    size,
  );
}

/** Whether a change moves pixels. */
export function isGeometric(change: Change): change is GeometricChange {
  return ['crop', 'resize', 'flip', 'affine', 'rotate'].includes(change.kind);
}

function moved(image: PixelImage, change: GeometricChange): PixelImage {
  switch (change.kind) {
    case 'crop':
      return crop(image, change);
    case 'resize':
      return resize(image, change);
    case 'flip':
      return flipHorizontal(image);
    case 'affine':
      return affine(image, change.matrix, change);
    case 'rotate':
      return rotate(image, change.degrees, change);
  }
}
