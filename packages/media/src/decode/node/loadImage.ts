import { readFile } from 'node:fs/promises';
import { DecodeError, messageOf } from '../../errors.ts';
import { isBlob } from '../bytes.ts';
import { download, type LoadImageOptions } from '../download.ts';
import type { DecodedImage } from '../options.ts';
import { decodeImage } from './decodeImage.ts';

/**
 * Reads a file by its path, a `file:` URL, a Blob, or from an `http:` or `https:` URL, and decodes it.
 *
 * @throws DecodeError as decodeImage; IoError; the signal's reason
 */
export async function loadImage(source: string | URL | Blob, options: LoadImageOptions = {}): Promise<DecodedImage> {
  return await decodeImage(await read(source, options), options);
}

async function read(source: string | URL | Blob, options: LoadImageOptions): Promise<Uint8Array | Blob> {
  if (isBlob(source)) return source;
  if (source instanceof URL && source.protocol !== 'file:') return await download(source, options);
  const { signal } = options;
  try {
    return await readFile(source, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new DecodeError('IoError', `${String(source)} could not be read: ${messageOf(cause)}.`, { cause });
  }
}
