import { DecodeError } from '../errors.ts';
import { exifOrientation, type Orientation } from './exif.ts';

/** What the header of a WebP file says. */
export interface WebpHeader {
  readonly format: 'webp';
  readonly width: number;
  readonly height: number;
  readonly alpha: boolean;
  readonly orientation: Orientation;
}

/** Flags of the chunk VP8X. */
const ANIMATION = 0x02;
const EXIF = 0x08;
const ALPHA = 0x10;
const ICC = 0x20;

interface Chunk {
  readonly type: string;
  readonly start: number;
  readonly body: Uint8Array;
}

/**
 * Reads the chunks of a WebP file.
 *
 * @param bytes begins with RIFF, and has WEBP at byte 8
 * @throws DecodeError Truncated, Corrupt; Unsupported for animations
 */
export function webpHeader(bytes: Uint8Array): WebpHeader {
  const chunks = [...chunksOf(bytes)];
  const [first] = chunks;
  const exif = chunks.find(({ type }) => type === 'EXIF')?.body;
  const orientation = exif === undefined ? 1 : exifOrientation(exif);
  if (first?.type === 'VP8 ') return { format: 'webp', ...lossySize(first.body), alpha: false, orientation };
  if (first?.type === 'VP8L') return { format: 'webp', ...losslessSize(first.body), orientation };
  if (first?.type === 'VP8X' && first.body.length >= 10) {
    const flags = first.body[0]!;
    if (flags & ANIMATION)
      throw new DecodeError('Unsupported', 'the WebP file is an animation; still images are read.');
    if (!chunks.some(({ type }) => type === 'VP8 ' || type === 'VP8L')) {
      throw new DecodeError('Truncated', 'the WebP file has a header and no pixels.');
    }
    return {
      format: 'webp',
      width: 1 + uint24(first.body, 4),
      height: 1 + uint24(first.body, 7),
      alpha: (flags & ALPHA) !== 0,
      orientation,
    };
  }
  throw new DecodeError('Corrupt', `the WebP file begins with the chunk ${JSON.stringify(first?.type)}.`);
}

function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 20) throw truncated(bytes.length);
  const end = 8 + view.getUint32(4, true);
  if (end > bytes.length) throw truncated(bytes.length);
  for (let start = 12; start + 8 <= end; ) {
    const length = view.getUint32(start + 4, true);
    if (start + 8 + length > end) throw truncated(bytes.length);
    const type = String.fromCharCode(...bytes.subarray(start, start + 4));
    yield { type, start, body: bytes.subarray(start + 8, start + 8 + length) };
    start += 8 + length + (length & 1);
  }
}

function lossySize(body: Uint8Array): { width: number; height: number } {
  const isKeyFrame = body.length >= 10 && (body[0]! & 1) === 0 && uint24(body, 3) === 0x2a019d;
  if (!isKeyFrame) throw new DecodeError('Corrupt', 'the WebP file does not begin with a key frame of VP8.');
  return { width: (body[6]! | (body[7]! << 8)) & 0x3fff, height: (body[8]! | (body[9]! << 8)) & 0x3fff };
}

function losslessSize(body: Uint8Array): { width: number; height: number; alpha: boolean } {
  if (body.length < 5 || body[0] !== 0x2f) throw new DecodeError('Corrupt', 'the lossless WebP file has no signature.');
  const bits = (body[1]! | (body[2]! << 8) | (body[3]! << 16) | (body[4]! << 24)) >>> 0;
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff), alpha: ((bits >>> 28) & 1) === 1 };
}

/** The file without its colour profile and EXIF metadata, which some decoders follow and others do not. */
export function withoutWebpAdvice(bytes: Uint8Array): Uint8Array {
  const chunks = [...chunksOf(bytes)];
  const kept = chunks.filter(({ type }) => type !== 'EXIF' && type !== 'ICCP');
  if (kept.length === chunks.length) return bytes;
  const padded = ({ body }: Chunk) => 8 + body.length + (body.length & 1);
  const out = new Uint8Array(12 + kept.reduce((sum, chunk) => sum + padded(chunk), 0));
  out.set(bytes.subarray(0, 12));
  new DataView(out.buffer).setUint32(4, out.length - 8, true);
  let at = 12;
  for (const chunk of kept) {
    out.set(bytes.subarray(chunk.start, chunk.start + 8 + chunk.body.length), at);
    if (chunk.type === 'VP8X') out[at + 8]! &= ~(EXIF | ICC);
    at += padded(chunk);
  }
  return out;
}

function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

function truncated(size: number): DecodeError {
  return new DecodeError('Truncated', `the WebP file ends after ${size} bytes, before the end of its chunks.`);
}
