import { DecodeError } from '../errors.ts';
import { type JpegHeader, jpegHeader } from './jpeg.ts';
import { type PngHeader, pngHeader } from './png/header.ts';
import { type WebpHeader, webpHeader } from './webp.ts';

/** What the first bytes of an image file say; `format` tells which of the three it is. */
export type ImageHeader = JpegHeader | PngHeader | WebpHeader;

/**
 * Reads the header of an image, whatever its name: the format by its signature, the size, how it is stored.
 *
 * @throws DecodeError UnknownFormat, Truncated, Unsupported, Corrupt; TooLarge above `maxPixels`
 */
export function imageHeader(bytes: Uint8Array, maxPixels: number): ImageHeader {
  const header = readHeader(bytes);
  const { width, height } = header;
  if (width * height > maxPixels) {
    throw new DecodeError(
      'TooLarge',
      `the ${header.format} file says ${width} x ${height} pixels, ${maxPixels} in all are allowed. Raise maxPixels if ` +
        'you expect an image this large.',
    );
  }
  return header;
}

function readHeader(bytes: Uint8Array): ImageHeader {
  if (has(bytes, 0, '\xff\xd8\xff')) return jpegHeader(bytes);
  if (has(bytes, 0, '\x89PNG\r\n\x1a\n')) return pngHeader(bytes);
  if (has(bytes, 0, 'RIFF') && has(bytes, 8, 'WEBP')) return webpHeader(bytes);
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new DecodeError(
    'UnknownFormat',
    `expected a JPEG, PNG or WebP file, got ${
      bytes.length === 0 ? 'no bytes' : `${bytes.length} bytes that begin with ${start}`
    }.`,
  );
}

function has(bytes: Uint8Array, at: number, signature: string): boolean {
  return [...signature].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
}
