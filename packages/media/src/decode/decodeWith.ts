import { type FileBytes, toBytes } from './bytes.ts';
import { type RawImage, toChannels } from './convert.ts';
import { imageHeader } from './header.ts';
import type { JpegHeader } from './jpeg.ts';
import { type DecodedImage, type DecodeImageOptions, type ImageDecoder, resolveOptions } from './options.ts';
import { orient } from './orient.ts';
import { decodePng } from './png/decodePng.ts';
import type { WebpHeader } from './webp.ts';

/** Decodes JPEG and WebP as they are stored: not turned, no colour profile applied. */
export type PlatformDecoder = (
  bytes: Uint8Array,
  header: JpegHeader | WebpHeader,
  signal: AbortSignal | undefined,
) => Promise<RawImage>;

/**
 * Decodes a JPEG, PNG or WebP file to 8-bit pixels, by default RGB as Pillow's `Image.open(f).convert("RGB")` gives it.
 *
 * PNG comes out the same everywhere; so do JPEG and lossy WebP, as far as everybody decodes them with libjpeg-turbo and
 * libwebp (the README says who does). Colour profiles are ignored, EXIF orientation by default too.
 *
 * @returns `data` of shape [H, W, C], an array of its own
 * @throws DecodeError UnknownFormat, Unsupported, Truncated, Corrupt; TooLarge, before anything is allocated;
 *   MissingPackage; InvalidArgument; the signal's reason
 * @example
 * const image = await decodeImage(await readFile('tiger.jpg'));
 * const mask = await decodeImage(await readFile('mask.png'), { channels: 1 }); // indices of a palette, unchanged
 */
export type DecodeImage = (bytes: FileBytes, options?: DecodeImageOptions) => Promise<DecodedImage>;

/** Makes the decodeImage of a platform. */
export function decodeImageWith(platform: (decoder: ImageDecoder) => PlatformDecoder): DecodeImage {
  return async (input, options = {}) => {
    const { channels, applyOrientation, decoder, maxPixels, signal } = resolveOptions(options);
    const decode = platform(decoder);
    signal?.throwIfAborted();
    const bytes = await toBytes(input);
    const header = imageHeader(bytes, maxPixels);
    if (header.format === 'png') return await decodePng(header, channels, signal);
    const raw = await decode(bytes, header, signal);
    signal?.throwIfAborted();
    const grey = header.format === 'jpeg' && header.components === 1;
    const image = toChannels(raw, channels, grey);
    return applyOrientation ? orient(image, header.orientation) : image;
  };
}
