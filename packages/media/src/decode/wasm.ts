import { DecodeError, messageOf } from '../errors.ts';
import { missingPackage } from '../optionalPackage.ts';
import { checkSize } from './convert.ts';
import type { PlatformDecoder } from './decodeWith.ts';

/** What the decoders of jSquash have in common; their types leave out that `init` takes a module. */
interface Codec {
  init(module?: WebAssembly.Module): Promise<void>;
  default(bytes: ArrayBuffer): Promise<Pick<ImageData, 'data' | 'width' | 'height'>>;
}

type Format = 'jpeg' | 'webp';

/** Finds the compiled decoder where it is not fetched beside the script, as in Node. */
export type WasmFinder = (format: Format) => Promise<WebAssembly.Module>;

/**
 * JPEG by MozJPEG and WebP by libwebp, compiled to WebAssembly: the same bytes on every machine.
 *
 * @param find where the platform has no `fetch` for files
 */
export function wasmDecoder(find?: WasmFinder): PlatformDecoder {
  const loaded: Partial<Record<Format, Promise<Codec>>> = {};
  return async (bytes, header) => {
    const { format } = header;
    if (format === 'jpeg' && header.components === 4) {
      throw new DecodeError(
        'Unsupported',
        "the JPEG file is in CMYK, which the wasm decoder does not read. In Node, decoder: 'sharp' does.",
      );
    }
    loaded[format] ??= load(format, find);
    const codec = await loaded[format].catch((error: unknown) => {
      delete loaded[format];
      throw error;
    });
    try {
      const { data, width, height } = await codec.default(Uint8Array.from(bytes).buffer);
      const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return checkSize({ data: pixels, width, height, channels: 4 }, header);
    } catch (cause) {
      // After a failure the decoder's memory is in no known state: the next file gets a new one.
      delete loaded[format];
      if (cause instanceof DecodeError) throw cause;
      throw new DecodeError('Corrupt', `the ${format} file is damaged or cut off: ${messageOf(cause)}.`, { cause });
    }
  };
}

async function load(format: Format, find: WasmFinder | undefined): Promise<Codec> {
  const codec = await importCodec(format);
  await (find === undefined ? codec.init() : codec.init(await find(format)));
  return codec;
}

/** Each import stands in a `try` of its own: bundlers then allow the package to be missing. */
async function importCodec(format: Format): Promise<Codec> {
  if (format === 'jpeg') {
    try {
      return (await import('@jsquash/jpeg/decode.js')) as Codec;
    } catch (cause) {
      throw missingPackage('decoding JPEG with WebAssembly', ['@jsquash/jpeg'], cause);
    }
  }
  try {
    return (await import('@jsquash/webp/decode.js')) as Codec;
  } catch (cause) {
    throw missingPackage('decoding WebP with WebAssembly', ['@jsquash/webp'], cause);
  }
}
