import { DecodeError } from '../errors.ts';
import { exifOrientation, type Orientation } from './exif.ts';

/** What the header of a JPEG file says. */
export interface JpegHeader {
  readonly format: 'jpeg';
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  readonly components: 1 | 3 | 4;
  readonly orientation: Orientation;
  /** Segments that tell viewers to change the pixels: EXIF (turning) and ICC profiles (colours). */
  readonly advice: readonly (readonly [start: number, end: number])[];
}

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
const APP1 = 0xe1;
const APP2 = 0xe2;
const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0];
const ICC = [...'ICC_PROFILE\0'].map((letter) => letter.charCodeAt(0));

/**
 * Reads the segments of a JPEG file up to its first scan, and looks for its end.
 *
 * @param bytes begins with FF D8
 * @throws DecodeError Truncated; Unsupported for lossless, arithmetic-coded and 12-bit files; Corrupt
 */
export function jpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const advice: [number, number][] = [];
  let frame: Pick<JpegHeader, 'width' | 'height' | 'components'> | undefined;
  let orientation: Orientation = 1;
  let at = 2;
  for (;;) {
    if (at + 4 > bytes.length) throw truncated(bytes.length);
    if (bytes[at] !== 0xff) throw new DecodeError('Corrupt', `byte ${at} of the JPEG file should begin a segment.`);
    const marker = bytes[at + 1]!;
    // A marker may be preceded by any number of fill bytes.
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (length < 2) throw new DecodeError('Corrupt', `the JPEG segment at byte ${at} has length ${length}.`);
    if (end > bytes.length) throw truncated(bytes.length);
    const body = bytes.subarray(at + 4, end);
    if (marker === START_OF_SCAN) {
      if (frame === undefined) throw new DecodeError('Corrupt', 'the JPEG file has pixels before its size.');
      checkEnd(bytes, end);
      return { format: 'jpeg', ...frame, orientation, advice };
    }
    if (isStartOfFrame(marker)) frame = readFrame(marker, body);
    else if (marker === APP1 && beginsWith(body, EXIF)) {
      advice.push([at, end]);
      orientation = exifOrientation(body.subarray(EXIF.length));
    } else if (marker === APP2 && beginsWith(body, ICC)) advice.push([at, end]);
    at = end;
  }
}

/** SOF0 to SOF15; C4, C8 and CC among them are tables and a reserved marker. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(marker: number, body: Uint8Array): Pick<JpegHeader, 'width' | 'height' | 'components'> {
  if (body.length < 6) throw new DecodeError('Corrupt', 'the frame header of the JPEG file is too short.');
  // Baseline, extended and progressive, all Huffman-coded.
  if (marker > 0xc2) {
    const kind = marker === 0xc3 ? 'lossless' : `of kind SOF${marker - 0xc0}`;
    throw new DecodeError('Unsupported', `the JPEG file is ${kind}; baseline and progressive ones are read.`);
  }
  const [precision, , , , , components] = body;
  if (precision !== 8) {
    throw new DecodeError('Unsupported', `the JPEG file has ${precision} bits a value; files of 8 are read.`);
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const height = view.getUint16(1);
  const width = view.getUint16(3);
  if (width === 0 || height === 0) {
    throw new DecodeError('Unsupported', `the header of the JPEG file says ${width} x ${height} pixels.`);
  }
  if (components !== 1 && components !== 3 && components !== 4) {
    throw new DecodeError('Unsupported', `the JPEG file has ${components} components; 1, 3 and 4 are read.`);
  }
  return { width, height, components };
}

/**
 * Makes sure that the last scan is there: some decoders make a picture of half a file, with grey or coarse parts.
 *
 * Within the pixels, FF is followed by 0 or a restart marker; anything else is the next segment, or the end of the image.
 */
function checkEnd(bytes: Uint8Array, scan: number): void {
  let at = scan;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) throw truncated(bytes.length);
    const marker = bytes[at + 1]!;
    if (marker === END_OF_IMAGE) return;
    if (marker === 0xff) at++;
    else if (marker === 0 || (marker >= 0xd0 && marker <= 0xd7)) at += 2;
    else at += 2 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
}

function beginsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((value, i) => bytes[i] === value);
}

function truncated(size: number): DecodeError {
  return new DecodeError('Truncated', `the JPEG file ends after ${size} bytes, before its pixels do.`);
}

/** The file without its advice, which some decoders take and others do not. The pixels are not touched. */
export function withoutAdvice(bytes: Uint8Array, { advice }: JpegHeader): Uint8Array {
  if (advice.length === 0) return bytes;
  const out = new Uint8Array(bytes.length - advice.reduce((sum, [start, end]) => sum + end - start, 0));
  let from = 0;
  let to = 0;
  for (const [start, end] of [...advice, [bytes.length, bytes.length] as const]) {
    out.set(bytes.subarray(from, start), to);
    to += start - from;
    from = end;
  }
  return out;
}
