import { DecodeError } from '../errors.ts';
import { isBlob } from './bytes.ts';
import { decodeImageWith, type PlatformDecoder } from './decodeWith.ts';
import { download, type LoadImageOptions } from './download.ts';
import { decodeNatively } from './native.ts';
import type { DecodedImage, ImageDecoder } from './options.ts';
import { wasmDecoder } from './wasm.ts';

const decodeWithWasm = wasmDecoder();

function platform(decoder: ImageDecoder): PlatformDecoder {
  if (decoder === 'wasm') return decodeWithWasm;
  if (decoder === 'sharp') {
    throw new DecodeError('InvalidArgument', "sharp runs in Node (@saccade/media/node); use 'native' or 'wasm' here.");
  }
  return decodeNatively;
}

/**
 * See {@link DecodeImage}. By default with the browser's own decoders; `decoder: 'wasm'` (`@jsquash/jpeg`,
 * `@jsquash/webp`) gives the same bytes in all browsers. For Node, import it from `@saccade/media/node`.
 */
export const decodeImage = decodeImageWith(platform);

/**
 * Fetches a URL, or takes a Blob or File, and decodes it.
 *
 * @throws DecodeError as decodeImage; IoError; the signal's reason
 */
export async function loadImage(source: string | URL | Blob, options: LoadImageOptions = {}): Promise<DecodedImage> {
  return await decodeImage(isBlob(source) ? source : await download(source, options), options);
}
