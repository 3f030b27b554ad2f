import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { DecodeError } from '../../errors.ts';
import { isNotInstalled, missingPackage } from '../../optionalPackage.ts';
import { decodeImageWith, type PlatformDecoder } from '../decodeWith.ts';
import type { ImageDecoder } from '../options.ts';
import { wasmDecoder } from '../wasm.ts';
import { decodeWithSharp, loadSharp } from './sharp.ts';

const WASM_FILES = {
  jpeg: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
  webp: '@jsquash/webp/codec/dec/webp_dec.wasm',
} as const;

const decodeWithWasm = wasmDecoder(async (format) => {
  const path = createRequire(import.meta.url).resolve(WASM_FILES[format]);
  return await WebAssembly.compile(await readFile(path));
});

/** sharp, or WebAssembly where sharp is not installed. A sharp that is installed and broken is an error. */
const decodeWithEither: PlatformDecoder = async (bytes, header, signal) => {
  let absent: unknown;
  try {
    await loadSharp();
  } catch (error) {
    if (!(error instanceof DecodeError) || !isNotInstalled(error.cause)) throw error;
    absent = error.cause;
  }
  if (absent === undefined) return await decodeWithSharp(bytes, header, signal);
  try {
    return await decodeWithWasm(bytes, header, signal);
  } catch (error) {
    if (!(error instanceof DecodeError) || error.code !== 'MissingPackage') throw error;
    throw missingPackage('decoding JPEG and WebP in Node', ['sharp'], absent);
  }
};

function platform(decoder: ImageDecoder): PlatformDecoder {
  switch (decoder) {
    case 'auto':
      return decodeWithEither;
    case 'sharp':
      return decodeWithSharp;
    case 'wasm':
      return decodeWithWasm;
    case 'native':
      throw new DecodeError('InvalidArgument', "Node has no decoder of its own; use 'auto', 'sharp' or 'wasm'.");
  }
}

/** See {@link DecodeImage}. By default with `sharp`, or else `@jsquash/jpeg` and `@jsquash/webp`; install one of them. */
export const decodeImage = decodeImageWith(platform);
