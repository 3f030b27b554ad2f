import { jsonFaults, quote, SafetensorsError } from './errors.ts';
import { JsonCursor } from './jsonCursor.ts';
import { STORED_TYPE_BY_CODE, type StoredType } from './storedTypes.ts';

/** Bytes before the header: its length, an unsigned 64-bit little-endian integer. */
export const LENGTH_BYTES = 8;

/** The cap of the reference implementation. A header of 100 MB describes about a million tensors. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The largest rank any tensor library accepts; it keeps a hostile shape from becoming a huge array. */
export const MAX_RANK = 64;

/** The reserved key of the file's own string-to-string notes. */
export const METADATA_KEY = '__metadata__';

/** Where one tensor lies. `begin` and `end` are bytes after the header. */
export interface TensorEntry {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[];
}

/**
 * Length in bytes of the header, from the first 8 bytes of a file of `fileSize` bytes.
 *
 * @throws SafetensorsError HeaderTooSmall, HeaderTooLarge, InvalidHeaderLength
 */
export function readHeaderLength(start: Uint8Array, fileSize: number): number {
  if (start.length < LENGTH_BYTES) {
    throw new SafetensorsError(
      'HeaderTooSmall',
      `a safetensors file begins with ${LENGTH_BYTES} bytes of header length, this one has ${fileSize} bytes in all. ` +
        'Check that the download finished.',
    );
  }
  const words = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES);
  // Above 2^53 this sum is rounded; the comparison that follows does not care.
  const length = words.getUint32(4, true) * 2 ** 32 + words.getUint32(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      'HeaderTooLarge',
      `the header claims ${length} bytes, at most ${MAX_HEADER_BYTES} are read. ` +
        'Most likely this is not a safetensors file (a .bin, .pt or .pth file, or a web page saved under its name).',
    );
  }
  if (length > fileSize - LENGTH_BYTES) {
    throw new SafetensorsError(
      'InvalidHeaderLength',
      `the header claims ${length} bytes, ${fileSize - LENGTH_BYTES} follow. ` +
        'The file is cut short or not a safetensors file; check that the download finished.',
    );
  }
  return length;
}

/**
 * Reads and checks a whole header.
 *
 * @param bytes the header alone, without the 8 bytes before it
 * @param dataLength bytes in the file after the header
 * @throws SafetensorsError for everything in the table of codes from InvalidHeader to MetadataIncompleteBuffer
 */
export function parseHeader(bytes: Uint8Array, dataLength: number): Header {
  const cursor: JsonCursor = new JsonCursor(decodeUtf8(bytes), 'header', jsonFaults('InvalidHeaderDeserialization'));
  const metadata = new Map<string, string>();
  const entries: TensorEntry[] = [];
  cursor.object('the header', (name) => {
    if (name === METADATA_KEY) {
      cursor.object(METADATA_KEY, (key) => metadata.set(key, cursor.string(`a string as value in ${METADATA_KEY}`)));
    } else {
      entries.push(readEntry(cursor, name));
    }
  });
  cursor.end();
  checkLayout(entries, dataLength);
  return { metadata, entries };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    // `slice` also turns shared memory, which decoders refuse and other threads may still write, into our own.
    // A byte order mark is not stripped: JSON does not allow one.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch (cause) {
    throw new SafetensorsError(
      'InvalidHeader',
      `the ${bytes.length} bytes of the header are not UTF-8 text. The file is damaged or not a safetensors file.`,
      { cause },
    );
  }
}

function readEntry(cursor: JsonCursor, name: string): TensorEntry {
  const label = `tensor ${quote(name)}`;
  let type: StoredType | undefined;
  let shape: number[] | undefined;
  let range: number[] | undefined;
  cursor.object(`the description of ${label}`, (field) => {
    if (field === 'dtype') type = readType(cursor, label);
    else if (field === 'shape') shape = readIntegers(cursor, `shape of ${label}`, MAX_RANK);
    else if (field === 'data_offsets') range = readIntegers(cursor, `data_offsets of ${label}`, 2);
    // A field this reader does not know could change what the bytes mean, so it must not be passed over.
    else cursor.fail(`only the fields dtype, shape and data_offsets in ${label}, not ${quote(field)},`);
  });
  const [begin, end] = range ?? [];
  if (type === undefined || shape === undefined || begin === undefined || end === undefined) {
    cursor.fail(`dtype, shape and two data_offsets before the description of ${label} closed`);
  }
  return { name, type, shape: Object.freeze(shape), begin, end };
}

function readType(cursor: JsonCursor, label: string): StoredType {
  const code = cursor.string(`dtype of ${label}`);
  const type = STORED_TYPE_BY_CODE.get(code);
  if (type === undefined) {
    cursor.fail(
      `a known dtype for ${label} (one of ${[...STORED_TYPE_BY_CODE.keys()].join(', ')}), not ${quote(code)},`,
    );
  }
  return type;
}

function readIntegers(cursor: JsonCursor, what: string, most: number): number[] {
  const values: number[] = [];
  cursor.array(`${what} as an array`, () => {
    if (values.length === most) cursor.fail(`${what} with at most ${most} numbers`);
    values.push(cursor.integer(what));
  });
  return values;
}

/** The tensors, sorted in place by position, must tile the data exactly: no hole, no overlap, nothing left over. */
function checkLayout(entries: TensorEntry[], dataLength: number): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, type, shape, begin, end } of entries) {
    if (end < begin || begin !== position) {
      const fault =
        end < begin ? 'is reversed' : begin < position ? 'overlaps another tensor' : 'leaves a hole before it';
      throw new SafetensorsError(
        'InvalidOffset',
        `data_offsets of tensor ${quote(name)} are [${begin}, ${end}], which ${fault}; expected it to start at ` +
          `${position}. The file was written wrongly or tampered with; save it again with a safetensors library.`,
      );
    }
    const expected = byteLengthOf(type, shape, `tensor ${quote(name)}`);
    if (end - begin !== expected) {
      throw new SafetensorsError(
        'TensorInvalidInfo',
        `tensor ${quote(name)} of dtype ${type.code} and shape [${shape.join(', ')}] takes ${expected} bytes, its ` +
          `data_offsets [${begin}, ${end}] span ${end - begin}. The header does not describe this data; save it again.`,
      );
    }
    position = end;
  }
  if (position !== dataLength) {
    throw new SafetensorsError(
      'MetadataIncompleteBuffer',
      `the tensors take ${position} bytes after the header, the file has ${dataLength} there. ` +
        (position > dataLength
          ? 'It is cut short: download it again.'
          : 'Bytes that belong to no tensor are refused: something else was appended to the file.'),
    );
  }
}

/**
 * Bytes of a tensor: product(shape) * bits / 8.
 *
 * @throws SafetensorsError ValidationOverflow above 2^53 - 1 bits, MisalignedSlice if it does not end on a byte
 */
export function byteLengthOf(type: StoredType, shape: readonly number[], label: string): number {
  let bits = type.bits;
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) {
      throw new SafetensorsError(
        'ValidationOverflow',
        `${label} of dtype ${type.code} and shape [${shape.join(', ')}] would take more than 2^53 bits. ` +
          'No real tensor is that large: the file is not genuine.',
      );
    }
  }
  if (bits % 8 !== 0) {
    throw new SafetensorsError(
      'MisalignedSlice',
      `${label} of dtype ${type.code} and shape [${shape.join(', ')}] takes ${bits} bits, which does not end on a byte. ` +
        `The number of elements must be a multiple of ${type.bits === 4 ? 2 : 4}.`,
    );
  }
  return bits / 8;
}
