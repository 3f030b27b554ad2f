import { ImageError } from '../errors.ts';
import type { NewImage, PixelImage } from '../image.ts';
import { checkRgb, luminance } from './luminance.ts';

/**
 * Brightness of an RGB image times `factor`, to the byte as Pillow's `ImageEnhance.Brightness`: 0 is black, 1 the image.
 *
 * @param factor a number >= 0
 * @returns a new image
 * @throws ImageError InvalidImage, InvalidOption
 */
export function adjustBrightness(image: PixelImage, factor: number): NewImage {
  checkRgb(image);
  return blended(image, factor, () => 0);
}

/** Contrast, as Pillow's `ImageEnhance.Contrast`: 0 is grey of the mean luminance. See {@link adjustBrightness}. */
export function adjustContrast(image: PixelImage, factor: number): NewImage {
  checkRgb(image);
  const grey = luminance(image);
  let sum = 0;
  for (const value of grey) sum += value;
  const mean = Math.trunc(sum / grey.length + 0.5);
  return blended(image, factor, () => mean);
}

/** Saturation, as Pillow's `ImageEnhance.Color`: 0 is the grey image. See {@link adjustBrightness}. */
export function adjustSaturation(image: PixelImage, factor: number): NewImage {
  checkRgb(image);
  const grey = luminance(image);
  return blended(image, factor, (i) => grey[Math.trunc(i / 3)]!);
}

/** Sharpness, as Pillow's `ImageEnhance.Sharpness`: 0 is a smoothed image. See {@link adjustBrightness}. */
export function adjustSharpness(image: PixelImage, factor: number): NewImage {
  checkRgb(image);
  const smooth = smoothed(image);
  return blended(image, factor, (i) => smooth[i]!);
}

/** `degenerate + factor (image - degenerate)` in float32, cut to integers; clipped where the factor exceeds 1. */
function blended(
  { data, width, height }: PixelImage,
  factor: number,
  degenerate: (position: number) => number,
): NewImage {
  if (!(Number.isFinite(factor) && factor >= 0)) {
    throw new ImageError('InvalidOption', `factor must be a number >= 0, got ${String(factor)}.`);
  }
  const alpha = Math.fround(factor);
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const base = degenerate(i);
    const value = Math.fround(base + Math.fround(alpha * (data[i]! - base)));
    out[i] = Math.max(0, Math.min(255, Math.trunc(value)));
  }
  return { data: out, width, height, channels: 3 };
}

/** Weights of Pillow's filter SMOOTH, float32: 5 in the middle, 1 around, of 13. */
const [AROUND, MIDDLE] = [Math.fround(1 / 13), Math.fround(5 / 13)];

/** Every pixel but those at the edge as the weighted mean of its 3x3 neighbourhood. */
function smoothed({ data, width, height }: PixelImage): Uint8Array {
  const out = Uint8Array.from(data);
  const row = 3 * width;
  // Pillow adds three products of a row before the next row, in float32, beginning with one half.
  const weighted = (i: number, middle: number) => {
    const outer = Math.fround(Math.fround(data[i - 3]! * AROUND) + Math.fround(data[i]! * middle));
    return Math.fround(outer + Math.fround(data[i + 3]! * AROUND));
  };
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * row + 3; i < (y + 1) * row - 3; i++) {
      let sum = Math.fround(0.5 + weighted(i + row, AROUND));
      sum = Math.fround(sum + weighted(i, MIDDLE));
      sum = Math.fround(sum + weighted(i - row, AROUND));
      out[i] = Math.trunc(sum);
    }
  }
  return out;
}
