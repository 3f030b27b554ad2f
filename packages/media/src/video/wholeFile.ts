import { DecodeError } from '../errors.ts';
import { BoxWalk } from './boxes.ts';
import type { CheckedBytes } from './videoBytes.ts';

/** What a file is, by its first bytes. */
export type Container = 'boxes' | 'matroska' | 'unknown';

const EBML_ID = 0x1a45dfa3;
const SEGMENT_ID = 0x18538067;
/** Types of boxes with which MP4 and QuickTime files begin. */
const FIRST_BOXES: readonly string[] = ['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'styp', 'pnot'];

/**
 * Makes sure that a video file is as long as it says, since a part of it would look like a shorter video.
 *
 * Files that were written without knowing their length (recordings of a browser) do not say.
 *
 * @throws DecodeError Truncated, Corrupt, IoError; the signal's reason
 */
export async function checkWhole(file: CheckedBytes, signal: AbortSignal | undefined): Promise<Container> {
  const head = await file.read(0, Math.min(file.size, 4096));
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length >= 8 && FIRST_BOXES.includes(String.fromCharCode(...head.subarray(4, 8)))) {
    const walk = new BoxWalk(file, signal);
    for await (const { end } of walk.boxes(0, file.size)) checkEnd(end, file.size);
    return 'boxes';
  }
  if (head.length >= 4 && view.getUint32(0) === EBML_ID) {
    const header = elementAt(view, 0);
    const segment = header && elementAt(view, header.end);
    if (segment?.id === SEGMENT_ID) checkEnd(segment.end, file.size);
    return 'matroska';
  }
  return 'unknown';
}

function checkEnd(end: number, size: number): void {
  if (end > size && end !== Number.POSITIVE_INFINITY) {
    throw new DecodeError('Truncated', `the video file has ${size} bytes and should have ${end}: it was cut off.`);
  }
}

/** An element of EBML: its identifier, and where its content ends; infinity if it does not say. */
function elementAt(view: DataView, at: number): { readonly id: number; readonly end: number } | undefined {
  const id = variable(view, at, true);
  const size = id && variable(view, at + id.length, false);
  if (id === undefined || size === undefined) return undefined;
  return { id: id.value, end: at + id.length + size.length + size.value };
}

/** A number whose first byte tells its length: as many bytes as it has leading zero bits, and one. */
function variable(view: DataView, at: number, withMarker: boolean): { length: number; value: number } | undefined {
  if (at >= view.byteLength) return undefined;
  const first = view.getUint8(at);
  const length = Math.clz32(first) - 23;
  if (length > 8 || at + length > view.byteLength) return undefined;
  let value = withMarker ? first : first & (0xff >> length);
  let isUnknown = value === 0xff >> length;
  for (let i = 1; i < length; i++) {
    const byte = view.getUint8(at + i);
    isUnknown &&= byte === 0xff;
    value = value * 256 + byte;
  }
  return { length, value: !withMarker && isUnknown ? Number.POSITIVE_INFINITY : value };
}
