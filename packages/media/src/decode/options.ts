import { DecodeError } from '../errors.ts';
import { MAX_PIXELS, type NewImage } from '../image.ts';

/** How many channels a decoded image has: 1 grey or label, 3 RGB, 4 RGB and alpha. */
export type ImageChannels = 1 | 3 | 4;

/** An image out of a file: `data` of shape [H, W, C], 8 bits a value. */
export interface DecodedImage extends NewImage {
  readonly channels: ImageChannels;
}

/**
 * Who decodes JPEG and WebP; PNG is read by this package everywhere.
 *
 * - `auto`: in Node `sharp`, or `wasm` where sharp is not installed; in a browser `native`
 * - `sharp`: the package of that name (Node)
 * - `wasm`: `@jsquash/jpeg` and `@jsquash/webp` (everywhere)
 * - `native`: what the browser has
 */
export type ImageDecoder = 'auto' | 'sharp' | 'wasm' | 'native';

/** Options of decodeImage and loadImage. */
export interface DecodeImageOptions {
  /**
   * - 3 (default): as Pillow's `convert("RGB")`: grey repeated, palettes looked up, alpha dropped without blending
   * - 4: RGB and alpha as the file has it (not multiplied); 255 where the file has none
   * - 1: the values of a grey image, the indices of a palette image (label maps), unchanged; refuses colour images
   */
  readonly channels?: ImageChannels | undefined;
  /** Turn and mirror the image as its EXIF orientation says (JPEG, WebP). Default false, as Pillow opens files. */
  readonly applyOrientation?: boolean | undefined;
  /** Default 'auto'. */
  readonly decoder?: ImageDecoder | undefined;
  /** Most pixels (width x height) that are decoded; told by the header, before anything is allocated. Default MAX_PIXELS. */
  readonly maxPixels?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options with their defaults. */
export interface ResolvedOptions {
  readonly channels: ImageChannels;
  readonly applyOrientation: boolean;
  readonly decoder: ImageDecoder;
  readonly maxPixels: number;
  readonly signal: AbortSignal | undefined;
}

const DECODERS: readonly string[] = ['auto', 'sharp', 'wasm', 'native'];

/** @throws DecodeError InvalidArgument */
export function resolveOptions(options: DecodeImageOptions): ResolvedOptions {
  const { channels = 3, applyOrientation = false, decoder = 'auto', maxPixels = MAX_PIXELS, signal } = options;
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new DecodeError('InvalidArgument', `channels must be 1, 3 or 4, got ${String(channels)}.`);
  }
  if (!DECODERS.includes(decoder)) {
    throw new DecodeError('InvalidArgument', `decoder must be one of ${DECODERS.join(', ')}, got ${String(decoder)}.`);
  }
  if (!Number.isSafeInteger(maxPixels) || maxPixels < 1 || maxPixels > MAX_PIXELS) {
    throw new DecodeError(
      'InvalidArgument',
      `maxPixels must be an integer from 1 to ${MAX_PIXELS}, got ${String(maxPixels)}.`,
    );
  }
  return { channels, applyOrientation, decoder, maxPixels, signal };
}
