import { quote } from '../weightsError.ts';
import { ZipError } from './errors.ts';

/** The value of a 32-bit field that says: look into the zip64 field. */
export const IN_ZIP64 = 0xffffffff;

const ZIP64_ID = 0x0001;

/** A 64-bit little-endian integer. Above 2^53 it is rounded, and larger than any file: comparisons refuse it. */
export function uint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

/**
 * The true values of `fields`: those that are {@link IN_ZIP64} are replaced, in order, by 64-bit numbers of the zip64
 * field in `extra` (APPNOTE 4.5.3).
 *
 * @throws ZipError InvalidZip if the field is missing, too short or there twice
 */
export function zip64Fields(extra: Uint8Array, fields: readonly number[], name: string): number[] {
  const wide = zip64Block(extra, name);
  let at = 0;
  return fields.map((field) => {
    if (field !== IN_ZIP64) return field;
    if (wide === undefined || at + 8 > wide.byteLength) {
      throw new ZipError('InvalidZip', `the 64-bit sizes of ${quote(name)} are missing.`);
    }
    at += 8;
    return uint64(wide, at - 8);
  });
}

function zip64Block(extra: Uint8Array, name: string): DataView | undefined {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  let found: DataView | undefined;
  let at = 0;
  // Fewer than 4 bytes at the end are padding of some writers.
  while (at + 4 <= view.byteLength) {
    const id = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    if (at + 4 + length > view.byteLength) {
      throw new ZipError('InvalidZip', `the extra fields of ${quote(name)} are cut short.`);
    }
    if (id === ZIP64_ID) {
      if (found !== undefined) throw new ZipError('InvalidZip', `${quote(name)} states its 64-bit sizes twice.`);
      found = new DataView(extra.buffer, extra.byteOffset + at + 4, length);
    }
    at += 4 + length;
  }
  return found;
}
