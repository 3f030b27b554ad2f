import { DecodeError } from '../../errors.ts';
import type { FileBytes } from '../bytes.ts';
import type { DecodeImage } from '../decodeWith.ts';
import type { DecodeImageOptions } from '../options.ts';
import { digest } from './digest.ts';

/** What decoding gives, as text: size and digest of the pixels, or the code of the error. */
export async function outcome(decode: DecodeImage, file: FileBytes, options: DecodeImageOptions): Promise<string> {
  try {
    const { data, width, height, channels } = await decode(file, options);
    return `${width} x ${height} x ${channels}: ${await digest(data)}`;
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}
