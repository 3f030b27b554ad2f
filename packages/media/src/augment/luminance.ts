import { ImageError } from '../errors.ts';
import { checkImage, type PixelImage } from '../image.ts';

/**
 * Luminance of an RGB image, as Pillow's `convert("L")`: ITU-R 601-2, `0.299 R + 0.587 G + 0.114 B` with weights of 16
 * fraction bits, rounded.
 */
export function luminance({ data, width, height }: PixelImage): Uint8Array {
  const grey = new Uint8Array(width * height);
  for (let i = 0, p = 0; i < grey.length; i++, p += 3) {
    grey[i] = (data[p]! * 19595 + data[p + 1]! * 38470 + data[p + 2]! * 7471 + 0x8000) >> 16;
  }
  return grey;
}

/** @throws ImageError InvalidImage unless the image has three channels */
export function checkRgb(image: PixelImage): void {
  checkImage(image);
  if (image.channels === 3) return;
  throw new ImageError('InvalidImage', `the image must have 3 channels (RGB), got ${image.channels}; see toRgb.`);
}
