import { DecodeError } from '../errors.ts';
import type { NewImage } from '../image.ts';
import type { DecodedImage, ImageChannels } from './options.ts';

/** Pixels as a decoder gave them: 1 grey, 3 RGB, 4 RGB and alpha, or CMYK. */
export interface RawImage extends NewImage {
  readonly cmyk?: boolean;
}

/**
 * The image with the channels asked for.
 *
 * Grey is repeated, alpha dropped or made 255. CMYK becomes RGB as in Pillow: `value = (255 - ink) (255 - black) / 255`,
 * rounded, without colour profiles.
 *
 * @param grey whether the file is grey, though its decoder may repeat that in three channels
 * @throws DecodeError InvalidArgument if one channel is asked of a colour image
 */
export function toChannels(image: RawImage, channels: ImageChannels, grey: boolean): DecodedImage {
  const { data: from, width, height, cmyk = false } = image;
  if (channels === 1 && !grey) {
    throw new DecodeError(
      'InvalidArgument',
      'channels: 1 takes grey images as they are, this one has colours. Decode 3 channels, and make one of them.',
    );
  }
  if (image.channels === channels && !cmyk) return { data: from, width, height, channels };
  const data = new Uint8Array(width * height * channels);
  const step = image.channels;
  const [green, blue] = step >= 3 ? [1, 2] : [0, 0];
  for (let at = 0, to = 0; to < data.length; at += step, to += channels) {
    const black = cmyk ? 255 - from[at + 3]! : 255;
    data[to] = cmyk ? black - timesOf255(from[at]!, black) : from[at]!;
    if (channels === 1) continue;
    data[to + 1] = cmyk ? black - timesOf255(from[at + 1]!, black) : from[at + green]!;
    data[to + 2] = cmyk ? black - timesOf255(from[at + 2]!, black) : from[at + blue]!;
    if (channels === 4) data[to + 3] = step === 4 && !cmyk ? from[at + 3]! : 255;
  }
  return { data, width, height, channels };
}

/** a b / 255, rounded. */
function timesOf255(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/**
 * The pixels that a decoder gave, if they are as many as the header says.
 *
 * @throws DecodeError Corrupt
 */
export function checkSize(image: RawImage, header: { readonly width: number; readonly height: number }): RawImage {
  const { data, width, height, channels } = image;
  if (width !== header.width || height !== header.height || data.length !== width * height * channels) {
    throw new DecodeError(
      'Corrupt',
      `the header of the file says ${header.width} x ${header.height} pixels, its decoder gave ${width} x ${height}.`,
    );
  }
  return image;
}
