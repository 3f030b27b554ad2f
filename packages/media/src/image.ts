import { ImageError } from './errors.ts';

/**
 * An 8-bit image in memory: row by row from the top, channels of a pixel side by side (the layout [H, W, C]).
 *
 * `data` holds `height * width * channels` bytes. 1 to 4 channels; what they mean is up to the caller.
 */
export interface PixelImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** An image that a function of this package made: its data is an array of its own. */
export interface NewImage extends PixelImage {
  readonly data: Uint8Array;
}

/** Most pixels an image made here may have (what 2^28 bytes hold in RGB): it bounds the memory a call can take. */
export const MAX_PIXELS = Math.floor(2 ** 28 / 3);

/** Longest side of an image made here. The tables of weights grow with it. */
export const MAX_SIDE = 2 ** 20;

/** @throws ImageError InvalidImage */
export function checkImage(image: PixelImage): void {
  const { data, width, height, channels } = image;
  checkSide('width', width, 'InvalidImage');
  checkSide('height', height, 'InvalidImage');
  if (!Number.isInteger(channels) || channels < 1 || channels > 4) {
    throw new ImageError('InvalidImage', `channels must be an integer from 1 to 4, got ${String(channels)}.`);
  }
  // By name and not by instanceof, which fails for arrays from another realm (a frame, a worker, a test sandbox).
  const kind = ArrayBuffer.isView(data) ? data[Symbol.toStringTag] : typeof data;
  if (kind !== 'Uint8Array' && kind !== 'Uint8ClampedArray') {
    throw new ImageError(
      'InvalidImage',
      `data must be a Uint8Array or Uint8ClampedArray of 8-bit values, got ${kind}.`,
    );
  }
  if (data.length !== width * height * channels) {
    throw new ImageError(
      'InvalidImage',
      `data has ${data.length} bytes, an image of ${width} x ${height} pixels with ${channels} channels has ` +
        `${width * height * channels}. Canvas pixels (ImageData) have 4 channels.`,
    );
  }
}

/** @throws ImageError with `code` unless `value` is an integer of at least 1 */
export function checkSide(name: string, value: number, code: 'InvalidImage' | 'InvalidOption'): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ImageError(code, `${name} must be a positive integer (pixels), got ${String(value)}.`);
  }
}

/** @throws ImageError TooLarge */
export function checkPixelCount(what: string, width: number, height: number): void {
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new ImageError(
      'TooLarge',
      `${what} would have ${width} x ${height} pixels; at most ${MAX_SIDE} a side and ${MAX_PIXELS} in all are made. ` +
        'Ask for a smaller size, or crop a very long image first.',
    );
  }
}

/**
 * The image with exactly three channels, as Pillow's `convert("RGB")` makes it: grey is repeated, alpha is dropped
 * without blending. Canvas pixels (RGBA) come out as RGB. An image of three channels is returned as it is.
 *
 * @throws ImageError InvalidImage
 */
export function toRgb(image: PixelImage): PixelImage {
  checkImage(image);
  const { data, width, height, channels } = image;
  if (channels === 3) return image;
  // 1: grey, 2: grey and alpha, 4: RGB and alpha.
  const [red, green, blue] = channels === 4 ? [0, 1, 2] : [0, 0, 0];
  const out = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < out.length; from += channels, to += 3) {
    out[to] = data[from + red]!;
    out[to + 1] = data[from + green]!;
    out[to + 2] = data[from + blue]!;
  }
  return { data: out, width, height, channels: 3 };
}
