import type { Reading } from '../source/reading.ts';
import { quote } from '../weightsError.ts';
import { readEndOfDirectory } from './endOfDirectory.ts';
import { ZipError } from './errors.ts';
import { decodeName } from './names.ts';
import { zip64Fields } from './zip64.ts';

/** One file of an archive, as the central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  /** The bytes of the name, which the entry's own header must repeat. */
  readonly nameBytes: Uint8Array;
  readonly flags: number;
  /** 0: stored as it is; 8: deflated. Others are refused. */
  readonly method: 0 | 8;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where the entry's own header begins. */
  readonly offset: number;
  /** Where the next entry, or the directory, begins: the entry must end before. */
  readonly limit: number;
}

/** Files by name, in the order of the directory. Folders are not among them. */
export type ZipDirectory = ReadonlyMap<string, ZipEntry>;

/** A directory of this size lists about a million files. */
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;

const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
/** Bytes of an entry's own header without name and extra fields. */
export const LOCAL_BYTES = 30;
/** Encryption (0, 6, 13) and patches (5). */
const REFUSED_FLAGS = 0x2061;

/**
 * Reads the list of files at the end of an archive of `size` bytes.
 *
 * Stricter than zip asks for, because readers that disagree about an archive are how something is hidden in one: it
 * begins with an entry and ends with its directory, entries do not overlap, no name comes twice or leads elsewhere.
 *
 * @throws ZipError
 */
export function* readZipDirectory(size: number): Reading<ZipDirectory> {
  const { start, end, count } = yield* readEndOfDirectory(size);
  if (end - start > MAX_DIRECTORY_BYTES) {
    throw new ZipError(
      'UnsupportedZip',
      `its directory has ${end - start} bytes, at most ${MAX_DIRECTORY_BYTES} are read.`,
    );
  }
  const bytes = yield [start, end];
  const found: Found[] = [];
  let position = 0;
  while (position < bytes.byteLength) position = readCentralHeader(bytes, position, found);
  if (found.length !== count) {
    throw new ZipError(
      'InvalidZip',
      `its directory lists ${found.length} files and claims ${count}. Download it again.`,
    );
  }
  return checkedDirectory(found, start);
}

type Found = Omit<ZipEntry, 'limit'>;

function readCentralHeader(bytes: Uint8Array, position: number, found: Found[]): number {
  const left = bytes.byteLength - position;
  const view = new DataView(bytes.buffer, bytes.byteOffset + position, left);
  if (left < CENTRAL_BYTES || view.getUint32(0, true) !== CENTRAL_SIGNATURE) {
    throw new ZipError('InvalidZip', `its directory is damaged at entry ${found.length}. Download it again.`);
  }
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((at) => view.getUint16(at, true)) as Lengths;
  const end = CENTRAL_BYTES + nameLength + extraLength + commentLength;
  if (end > left) {
    throw new ZipError('InvalidZip', `entry ${found.length} of its directory is cut short. Download it again.`);
  }
  const header = bytes.subarray(position, position + end);
  const nameBytes = header.slice(CENTRAL_BYTES, CENTRAL_BYTES + nameLength);
  const name = decodeName(nameBytes);
  const extra = header.subarray(CENTRAL_BYTES + nameLength, CENTRAL_BYTES + nameLength + extraLength);
  const [entrySize, compressedSize, offset] = zip64Fields(
    extra,
    [24, 20, 42].map((at) => view.getUint32(at, true)),
    name,
  ) as Lengths;
  const flags = view.getUint16(8, true);
  const method = view.getUint16(10, true);
  checkSupport(name, flags, method, view.getUint16(34, true));
  if (method === 0 && entrySize !== compressedSize) {
    throw new ZipError(
      'InvalidZip',
      `${quote(name)} is stored uncompressed in ${compressedSize} bytes and claims to have ${entrySize}.`,
    );
  }
  found.push({
    name,
    nameBytes,
    flags,
    method: method as 0 | 8,
    crc32: view.getUint32(16, true),
    compressedSize,
    size: entrySize,
    offset,
  });
  return position + end;
}

type Lengths = [number, number, number];

function checkSupport(name: string, flags: number, method: number, disk: number): void {
  const fault =
    (flags & REFUSED_FLAGS) !== 0
      ? 'is encrypted or marked so'
      : method !== 0 && method !== 8
        ? `is compressed with method ${method}`
        : disk !== 0 && disk !== 0xffff
          ? 'lies in another file of a split archive'
          : undefined;
  if (fault !== undefined) {
    throw new ZipError('UnsupportedZip', `${quote(name)} ${fault}. Only plain stored or deflated entries are read.`);
  }
}

function checkedDirectory(found: readonly Found[], directoryStart: number): ZipDirectory {
  const byOffset = [...found].sort((a, b) => a.offset - b.offset);
  const limits = new Map<Found, number>();
  for (const [i, entry] of byOffset.entries()) {
    const limit = byOffset[i + 1]?.offset ?? directoryStart;
    const least = entry.offset + LOCAL_BYTES + entry.nameBytes.byteLength + entry.compressedSize;
    if (least > limit) {
      throw new ZipError(
        'InvalidZip',
        `${quote(entry.name)} takes bytes ${entry.offset} to ${least} at least and overlaps ` +
          `${limit === directoryStart ? 'the directory' : quote(byOffset[i + 1]?.name ?? '')} at ${limit}. The archive was ` +
          'tampered with or cut; do not use it.',
      );
    }
    limits.set(entry, limit);
  }
  const first = byOffset[0]?.offset ?? directoryStart;
  if (first !== 0) {
    throw new ZipError('InvalidZip', `${first} bytes precede its first entry: something else hides in front of it.`);
  }
  const entries = new Map<string, ZipEntry>();
  for (const entry of found) {
    if (entries.has(entry.name)) {
      throw new ZipError('InvalidZip', `it holds two files named ${quote(entry.name)}, of which one would vanish.`);
    }
    entries.set(entry.name, { ...entry, limit: limits.get(entry) ?? 0 });
  }
  for (const name of entries.keys()) if (name.endsWith('/')) entries.delete(name);
  return entries;
}
