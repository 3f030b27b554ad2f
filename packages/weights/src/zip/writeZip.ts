import { crc32 } from './crc32.ts';

/** A file to be stored, uncompressed. */
export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Data begin at multiples of this, as PyTorch has it: for reading files by mapping them into memory. */
const ALIGNMENT = 64;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 56 + 20 + 22;
/** The field in which PyTorch pads, and what it fills it with. */
const PADDING_ID = 0x4246;
const PADDING_BYTE = 0x5a;
/** The first day that a zip archive can name, 1 January 1980: the same input gives the same bytes. */
const DATE = 0x0021;

/** Bytes of the archive that {@link writeZip} makes. */
export function zipLength(files: readonly ZipFile[]): number {
  const layout = layoutOf(files);
  return layout.directoryStart + layout.directoryLength + END_BYTES;
}

/**
 * A zip archive of stored files, each aligned to 64 bytes, with the 64-bit end record that PyTorch also writes, so that
 * it may hold more than 65,535 files. Below 4 GiB in all.
 *
 * @param files with ASCII names
 */
export function writeZip(files: readonly ZipFile[]): Uint8Array<ArrayBuffer> {
  const { entries, directoryStart, directoryLength } = layoutOf(files);
  const archive = new Uint8Array(directoryStart + directoryLength + END_BYTES);
  const view = new DataView(archive.buffer);
  let central = directoryStart;
  for (const { name, bytes, offset, dataStart } of entries) {
    const nameBytes = new TextEncoder().encode(name);
    const sum = crc32(bytes);
    const nameEnd = offset + LOCAL_BYTES + nameBytes.byteLength;
    view.setUint32(offset, 0x04034b50, true);
    writeCommon(view, offset + 4, sum, bytes.byteLength, nameBytes.byteLength);
    view.setUint16(offset + 28, dataStart - nameEnd, true);
    archive.set(nameBytes, offset + LOCAL_BYTES);
    view.setUint16(nameEnd, PADDING_ID, true);
    view.setUint16(nameEnd + 2, dataStart - nameEnd - 4, true);
    archive.fill(PADDING_BYTE, nameEnd + 4, dataStart);
    archive.set(bytes, dataStart);

    view.setUint32(central, 0x02014b50, true);
    writeCommon(view, central + 6, sum, bytes.byteLength, nameBytes.byteLength);
    view.setUint32(central + 42, offset, true);
    archive.set(nameBytes, central + CENTRAL_BYTES);
    central += CENTRAL_BYTES + nameBytes.byteLength;
  }
  writeEnd(view, central, files.length, directoryStart, directoryLength);
  return archive;
}

/**
 * Version needed, flags, method, time, date, checksum, both sizes and the length of the name: the same in both headers.
 */
function writeCommon(view: DataView, at: number, sum: number, size: number, nameLength: number): void {
  view.setUint16(at, 20, true);
  view.setUint16(at + 8, DATE, true);
  view.setUint32(at + 10, sum, true);
  view.setUint32(at + 14, size, true);
  view.setUint32(at + 18, size, true);
  view.setUint16(at + 22, nameLength, true);
}

function writeEnd(view: DataView, at: number, count: number, start: number, length: number): void {
  view.setUint32(at, 0x06064b50, true);
  view.setUint32(at + 4, 44, true);
  view.setUint16(at + 12, 45, true);
  view.setUint16(at + 14, 45, true);
  for (const [offset, value] of [
    [24, count],
    [32, count],
    [40, length],
    [48, start],
  ] as const) {
    view.setBigUint64(at + offset, BigInt(value), true);
  }
  const locator = at + 56;
  view.setUint32(locator, 0x07064b50, true);
  view.setBigUint64(locator + 8, BigInt(at), true);
  view.setUint32(locator + 16, 1, true);
  const end = locator + 20;
  view.setUint32(end, 0x06054b50, true);
  view.setUint16(end + 8, Math.min(count, 0xffff), true);
  view.setUint16(end + 10, Math.min(count, 0xffff), true);
  view.setUint32(end + 12, length, true);
  view.setUint32(end + 16, start, true);
}

interface Placed extends ZipFile {
  readonly offset: number;
  readonly dataStart: number;
}

function layoutOf(files: readonly ZipFile[]): { entries: Placed[]; directoryStart: number; directoryLength: number } {
  const entries: Placed[] = [];
  let at = 0;
  let directoryLength = 0;
  for (const file of files) {
    // Four bytes at least: the head of the padding field itself.
    const dataStart = Math.ceil((at + LOCAL_BYTES + file.name.length + 4) / ALIGNMENT) * ALIGNMENT;
    entries.push({ ...file, offset: at, dataStart });
    at = dataStart + file.bytes.byteLength;
    directoryLength += CENTRAL_BYTES + file.name.length;
  }
  return { entries, directoryStart: at, directoryLength };
}
