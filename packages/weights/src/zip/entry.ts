import type { Reading } from '../source/reading.ts';
import { quote } from '../weightsError.ts';
import { crc32 } from './crc32.ts';
import { LOCAL_BYTES, type ZipEntry } from './directory.ts';
import { ZipError } from './errors.ts';
import { IN_ZIP64, zip64Fields } from './zip64.ts';

const LOCAL_SIGNATURE = 0x04034b50;
/** Sizes and checksum follow the data; the header may have zeros instead. */
const DESCRIPTOR_FLAG = 0x0008;
/** How well it was compressed, and the encoding of the name: no reader acts upon a difference. */
const IGNORED_FLAGS = 0x0806;
/** PyTorch pads with up to 68 bytes of extra fields, so that data begin at multiples of 64. */
const USUAL_EXTRA_BYTES = 80;

/**
 * Position of the first byte of an entry's data, after the entry's own header was held against the directory.
 *
 * @throws ZipError HeaderMismatch, InvalidZip
 */
export function* locateEntry(entry: ZipEntry): Reading<number> {
  const { offset, limit, nameBytes, name } = entry;
  const nameEnd = LOCAL_BYTES + nameBytes.byteLength;
  let header = yield [offset, Math.min(offset + nameEnd + USUAL_EXTRA_BYTES, limit)];
  let view = viewOf(header);
  if (view.getUint32(0, true) !== LOCAL_SIGNATURE) {
    throw new ZipError('HeaderMismatch', `no entry begins at byte ${offset}, where ${quote(name)} should.`);
  }
  const end = nameEnd + view.getUint16(28, true);
  if (offset + end + entry.compressedSize > limit) {
    throw new ZipError('InvalidZip', `${quote(name)} reaches beyond byte ${limit}, where the next part begins.`);
  }
  if (end > header.byteLength) {
    header = yield [offset, offset + end];
    view = viewOf(header);
  }
  const sameName =
    view.getUint16(26, true) === nameBytes.byteLength && nameBytes.every((byte, i) => header[LOCAL_BYTES + i] === byte);
  const fault = !sameName
    ? 'name'
    : ((view.getUint16(6, true) ^ entry.flags) & ~IGNORED_FLAGS) !== 0
      ? 'flags'
      : view.getUint16(8, true) !== entry.method
        ? 'compression method'
        : sizesFault(view, header.subarray(nameEnd, end), entry);
  if (fault !== undefined) {
    throw new ZipError(
      'HeaderMismatch',
      `the ${fault} of ${quote(name)} in the directory is not the one in the entry itself. Different programs would read ` +
        'different files: the archive was made to deceive. Do not use it.',
    );
  }
  return offset + end;
}

function sizesFault(view: DataView, extra: Uint8Array, entry: ZipEntry): string | undefined {
  const later = (entry.flags & DESCRIPTOR_FLAG) !== 0;
  const checksum = view.getUint32(14, true);
  if (checksum !== entry.crc32 && !(later && checksum === 0)) return 'checksum';
  const narrow = [view.getUint32(22, true), view.getUint32(18, true)];
  const stated = later && narrow.every((size) => size === 0 || size === IN_ZIP64);
  if (stated) return undefined;
  const [size, compressedSize] = zip64Fields(extra, narrow, entry.name);
  return size === entry.size && compressedSize === entry.compressedSize ? undefined : 'size';
}

/** Pieces in which {@link verifyEntry} reads. */
const CHUNK_BYTES = 8 * 2 ** 20;

/**
 * Reads all of a stored entry and compares its checksum. A writer that was told not to compute checksums leaves 0,
 * which is passed over.
 *
 * @returns the number of bytes read
 * @throws ZipError ChecksumMismatch; UnsupportedZip for a compressed entry; as {@link locateEntry}
 */
export function* verifyStored(entry: ZipEntry): Reading<number> {
  if (entry.method !== 0) throw new ZipError('UnsupportedZip', `${quote(entry.name)} is compressed.`);
  const start = yield* locateEntry(entry);
  const end = start + entry.compressedSize;
  let sum = 0;
  for (let at = start; at < end; at += CHUNK_BYTES) sum = crc32(yield [at, Math.min(at + CHUNK_BYTES, end)], sum);
  checkSum(entry, sum);
  return entry.compressedSize;
}

/** @throws ZipError ChecksumMismatch */
export function checkSum(entry: ZipEntry, sum: number): void {
  if (sum === entry.crc32 || entry.crc32 === 0) return;
  throw new ZipError(
    'ChecksumMismatch',
    `the bytes of ${quote(entry.name)} were altered or damaged. Download it again.`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
