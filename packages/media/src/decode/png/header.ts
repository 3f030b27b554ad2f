import { DecodeError } from '../../errors.ts';
import { crc32 } from './crc.ts';

/** How the samples of a PNG file are meant, by the number in its header. */
export type ColourType = 0 | 2 | 3 | 4 | 6;
export const GREY = 0;
export const RGB = 2;
export const PALETTE = 3;
export const GREY_ALPHA = 4;
export const RGB_ALPHA = 6;

/** The chunks of a PNG file that make its pixels. */
export interface PngHeader {
  readonly format: 'png';
  readonly width: number;
  readonly height: number;
  /** Bits a sample. */
  readonly depth: 1 | 2 | 4 | 8 | 16;
  readonly colour: ColourType;
  readonly interlaced: boolean;
  /** RGB triples. */
  readonly palette: Uint8Array;
  /** Alpha values of palette entries, or the one transparent grey or colour in 16-bit samples. */
  readonly transparency: Uint8Array;
  /** The compressed samples, in pieces. */
  readonly pieces: readonly Uint8Array[];
}

const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  [GREY]: [1, 2, 4, 8, 16],
  [RGB]: [8, 16],
  [PALETTE]: [1, 2, 4, 8],
  [GREY_ALPHA]: [8, 16],
  [RGB_ALPHA]: [8, 16],
};

/** Samples a pixel has. */
export const SAMPLES: Readonly<Record<ColourType, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

type Size = Pick<PngHeader, 'width' | 'height' | 'depth' | 'colour' | 'interlaced'>;

/**
 * Reads the chunks of a PNG file, without decompressing anything.
 *
 * @param bytes begins with the signature of PNG
 * @throws DecodeError Truncated, Corrupt
 */
export function pngHeader(bytes: Uint8Array): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Uint8Array[] = [];
  let size: Size | undefined;
  let palette = new Uint8Array(0);
  let transparency = new Uint8Array(0);
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw truncated(bytes.length);
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) throw truncated(bytes.length);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = bytes.subarray(at + 8, end - 4);
    if ((size === undefined) !== (type === 'IHDR')) throw corrupt(`the chunk ${type} stands at the wrong place`);
    // The samples have a checksum of their own, and other chunks do not matter.
    const matters = type === 'IHDR' || type === 'PLTE' || type === 'tRNS';
    if (matters && crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4)) {
      throw corrupt(`the checksum of the chunk ${type} is wrong`);
    }
    if (type === 'IHDR') size = readSize(body);
    else if (type === 'PLTE') palette = Uint8Array.from(body);
    else if (type === 'tRNS') transparency = Uint8Array.from(body);
    else if (type === 'IDAT') pieces.push(body);
    else if (type === 'IEND') break;
    at = end;
  }
  if (pieces.length === 0) throw corrupt('it has no pixels');
  if (palette.length % 3 !== 0 || palette.length > 768) throw corrupt(`its palette has ${palette.length} bytes`);
  if (size?.colour === PALETTE && palette.length === 0) throw corrupt('its palette is missing');
  return { format: 'png', ...(size as Size), palette, transparency, pieces };
}

function readSize(body: Uint8Array): Size {
  if (body.length !== 13) throw corrupt(`its header has ${body.length} bytes in place of 13`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  if (width < 1 || height < 1 || width > 2 ** 31 - 1 || height > 2 ** 31 - 1) {
    throw corrupt(`its header says ${width} x ${height} pixels`);
  }
  const [depth, colour, compression, filter, interlace] = body.subarray(8) as unknown as [number, number, ...number[]];
  if (!DEPTHS[colour]?.includes(depth))
    throw corrupt(`its header says ${depth} bits a sample and colour type ${colour}`);
  if (compression !== 0 || filter !== 0 || interlace === undefined || interlace > 1) {
    throw corrupt(`its header says compression ${compression}, filter ${filter}, interlacing ${interlace}`);
  }
  return {
    width,
    height,
    depth: depth as PngHeader['depth'],
    colour: colour as ColourType,
    interlaced: interlace === 1,
  };
}

function corrupt(what: string): DecodeError {
  return new DecodeError('Corrupt', `the PNG file is damaged: ${what}.`);
}

function truncated(size: number): DecodeError {
  return new DecodeError('Truncated', `the PNG file ends after ${size} bytes, before its chunk IEND.`);
}
