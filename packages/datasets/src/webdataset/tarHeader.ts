import { DatasetError } from '../errors.ts';

/** Bytes of a block, in which everything in a tar file is measured. */
export const BLOCK = 512;

/** What a header block says. */
export interface TarHeader {
  readonly name: string;
  /** bytes that follow, without the padding to a whole block */
  readonly size: number;
  /** a character: `0` a file, `x` a pax header, ... */
  readonly type: string;
}

/**
 * Reads a header block of a tar file (POSIX ustar, GNU, and the format before them).
 *
 * @param where for messages
 * @returns undefined for a block of zeros, which ends a file
 * @throws DatasetError `tar` for a wrong checksum or numbers that are none
 */
export function parseTarHeader(block: Uint8Array, where: string): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const stored = numberIn(block, 148, 8, where);
  // Some old programs added up signed bytes.
  const sums = [0, 0] as [number, number];
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] as number);
    sums[0] += byte;
    sums[1] += byte > 127 ? byte - 256 : byte;
  }
  if (!sums.includes(stored)) {
    throw tarError(
      where,
      'a header block of a tar file',
      `one whose checksum is ${sums[0]} and not ${stored}`,
      NOT_A_TAR,
    );
  }
  // GNU's own format keeps other things where ustar has the beginning of a long name.
  const prefix = textIn(block, 257, 6) === 'ustar' && block[262] === 0 ? textIn(block, 345, 155) : '';
  const name = textIn(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: numberIn(block, 124, 12, where),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] as number),
  };
}

const NOT_A_TAR = 'It is damaged, or no tar file; compressed ones (.tar.gz) must be unpacked first.';

/** Text up to the first zero byte. */
export function textIn(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return UTF8.decode(end < 0 ? field : field.subarray(0, end));
}

const UTF8 = new TextDecoder();

/** Octal digits between spaces and zeros, or, with the first bit set, a binary number. */
function numberIn(block: Uint8Array, start: number, length: number, where: string): number {
  const field = block.subarray(start, start + length);
  const first = field[0] as number;
  let value: number;
  if ((first & 0x80) !== 0) {
    value = first & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
  } else {
    const text = textIn(field, 0, length).trim();
    value = text === '' ? 0 : /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
  }
  if (Number.isSafeInteger(value)) return value;
  throw tarError(where, `a number at byte ${start} of a header block`, 'something else', NOT_A_TAR);
}

/**
 * The records of a pax header, `<length> <key>=<value>\n` each.
 *
 * @throws DatasetError `tar` for records of another form
 */
export function parsePaxRecords(bytes: Uint8Array, where: string): Map<string, string> {
  const records = new Map<string, string>();
  for (let start = 0; start < bytes.byteLength; ) {
    const space = bytes.indexOf(0x20, start);
    const digits = space < 0 || space - start > 10 ? '' : UTF8.decode(bytes.subarray(start, space));
    const end = start + (/^[1-9]\d*$/.test(digits) ? Number(digits) : 0);
    const record = end > space && end <= bytes.byteLength ? UTF8.decode(bytes.subarray(space + 1, end)) : '';
    const equals = record.indexOf('=');
    if (equals < 1 || !record.endsWith('\n')) {
      throw tarError(where, 'records "<length> <key>=<value>" in a pax header', 'something else');
    }
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    start = end;
  }
  return records;
}

export function tarError(argument: string, expected: string, actual: string, hint?: string): DatasetError {
  return new DatasetError({ code: 'tar', argument, expected, actual, ...(hint && { hint }) });
}
