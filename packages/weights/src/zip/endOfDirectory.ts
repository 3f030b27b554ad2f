import type { Reading } from '../source/reading.ts';
import { ZipError } from './errors.ts';
import { IN_ZIP64, uint64 } from './zip64.ts';

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;

/** Where the central directory lies, and how many entries it has. */
export interface DirectoryPlace {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/**
 * Finds the directory of an archive of `size` bytes through the record at its end, and that record's 64-bit companion.
 *
 * @throws ZipError NotZip, InvalidZip, UnsupportedZip
 */
export function* readEndOfDirectory(size: number): Reading<DirectoryPlace> {
  const tailStart = Math.max(0, size - END_BYTES - MAX_COMMENT_BYTES - LOCATOR_BYTES - END64_BYTES);
  const tail = yield [tailStart, size];
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const at = findEnd(view);
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  const count = view.getUint16(at + 10, true);
  if (disks.some((disk) => disk !== 0 && disk !== 0xffff) || view.getUint16(at + 8, true) !== count) {
    throw new ZipError('UnsupportedZip', 'it is one part of an archive that was split over several files.');
  }
  const narrow = { length: view.getUint32(at + 12, true), start: view.getUint32(at + 16, true), count };
  const recordStart = tailStart + at;
  const hasLocator = at >= LOCATOR_BYTES && view.getUint32(at - LOCATOR_BYTES, true) === LOCATOR_SIGNATURE;
  if (!hasLocator) return checked(narrow, recordStart);
  const wideStart = uint64(view, at - LOCATOR_BYTES + 8);
  // The 64-bit record stands right before its locator: in one place only, for every reader.
  if (wideStart !== recordStart - LOCATOR_BYTES - END64_BYTES) {
    throw new ZipError('InvalidZip', 'its 64-bit end record is not where it belongs. The archive was tampered with.');
  }
  const wide = readWide(yield [wideStart, wideStart + END64_BYTES]);
  const agree =
    (narrow.length === IN_ZIP64 || narrow.length === wide.length) &&
    (narrow.start === IN_ZIP64 || narrow.start === wide.start) &&
    (narrow.count === 0xffff || narrow.count === wide.count);
  if (!agree) throw new ZipError('InvalidZip', 'its two end records describe two directories. It was tampered with.');
  return checked(wide, wideStart);
}

interface Raw {
  readonly length: number;
  readonly start: number;
  readonly count: number;
}

/** Position in the tail of the end record: the one whose comment reaches exactly to the end of the file. */
function findEnd(view: DataView): number {
  let found: number | undefined;
  for (let at = view.byteLength - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    if (view.getUint16(at + 20, true) !== view.byteLength - at - END_BYTES) continue;
    if (found !== undefined) throw new ZipError('InvalidZip', 'it has two ends, one in the comment of the other.');
    found = at;
  }
  if (found === undefined) {
    throw new ZipError('NotZip', 'it does not end as a zip archive does. It is cut short: download it again.');
  }
  return found;
}

function readWide(bytes: Uint8Array): Raw {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const valid =
    view.getUint32(0, true) === END64_SIGNATURE &&
    uint64(view, 4) === END64_BYTES - 12 &&
    view.getUint32(16, true) === 0 &&
    view.getUint32(20, true) === 0 &&
    uint64(view, 24) === uint64(view, 32);
  if (!valid) throw new ZipError('InvalidZip', 'its 64-bit end record is damaged. Download it again.');
  return { count: uint64(view, 32), length: uint64(view, 40), start: uint64(view, 48) };
}

function checked({ start, length, count }: Raw, recordStart: number): DirectoryPlace {
  if (start + length !== recordStart) {
    throw new ZipError(
      'InvalidZip',
      `its directory is said to take bytes ${start} to ${start + length}, it ends at ${recordStart}. Download it again.`,
    );
  }
  return { start, end: recordStart, count };
}
