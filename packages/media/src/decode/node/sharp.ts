import type { Sharp, SharpOptions } from 'sharp';
import { DecodeError, messageOf } from '../../errors.ts';
import { missingPackage } from '../../optionalPackage.ts';
import { checkSize } from '../convert.ts';
import type { PlatformDecoder } from '../decodeWith.ts';

type SharpFunction = (input: Uint8Array, options: SharpOptions) => Sharp;

/** @throws DecodeError MissingPackage */
export async function loadSharp(): Promise<SharpFunction> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    throw missingPackage('decoding JPEG and WebP in Node', ['sharp'], cause);
  }
}

/**
 * JPEG by libjpeg-turbo and WebP by libwebp, the libraries that Pillow uses; CMYK as Pillow's own arithmetic makes it RGB.
 * Like Pillow, refuses what is cut off, and bears with small flaws that its libraries repair.
 */
export const decodeWithSharp: PlatformDecoder = async (bytes, header) => {
  const sharp = await loadSharp();
  const cmyk = header.format === 'jpeg' && header.components === 4;
  // Headers were checked against the caller's limit.
  const stored = sharp(bytes, { ignoreIcc: true, failOn: 'error', limitInputPixels: false });
  const pipeline = cmyk ? stored.pipelineColourspace('cmyk').toColourspace('cmyk') : stored;
  try {
    const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    // The memory of a Buffer belongs to sharp, and cannot be handed to a worker.
    return checkSize({ data: Uint8Array.from(data), width, height, channels, cmyk }, header);
  } catch (cause) {
    throw refusal(cause, header.format);
  }
};

function refusal(cause: unknown, format: string): DecodeError {
  if (cause instanceof DecodeError) return cause;
  const text = messageOf(cause).trim();
  const cut = /premature end|truncated|unexpected end|unable to read|out of order read/i.test(text);
  return new DecodeError(cut ? 'Truncated' : 'Corrupt', `the ${format} file cannot be decoded: ${text}.`, { cause });
}
