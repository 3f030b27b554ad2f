import { elementCount } from '../shape.ts';
import type { Reading } from '../source/reading.ts';
import { parseNpyDictionary } from './dictionary.ts';
import { NumpyFileError } from './errors.ts';
import { type NpyType, npyType } from './npyTypes.ts';

/** A checked header. */
export interface NpyHeader {
  readonly type: NpyType;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  /** Where the elements begin; they reach to the end of the file. */
  readonly dataStart: number;
  readonly byteLength: number;
}

const MAGIC = [0x93, ...[...'NUMPY'].map((c) => c.charCodeAt(0))];
/** Magic, version, length of the dictionary. */
const FIXED_BYTES = [0, 10, 12, 12];
/** Dictionaries have some 100 bytes; those of records, which are refused anyhow, may have more. */
const MAX_DICTIONARY_BYTES = 2 ** 16;
/** Enough for the whole header of nearly every array. */
const FIRST_BYTES = 256;

export function startsNpy(head: Uint8Array): boolean {
  return MAGIC.every((byte, i) => head[i] === byte);
}

/**
 * Reads the header of an array of `size` bytes in all (versions 1.0, 2.0 and 3.0 of the format, NEP 1).
 *
 * @throws NumpyFileError NotNumpy, UnsupportedVersion, InvalidHeader, UnsupportedDtype, InvalidSize
 */
export function* readNpyHeader(size: number): Reading<NpyHeader> {
  let head = yield [0, Math.min(size, FIRST_BYTES)];
  if (!startsNpy(head)) throw new NumpyFileError('NotNumpy', 'it does not begin as an array of NumPy (.npy) does.');
  const [major, minor] = [head[6], head[7]];
  if (minor !== 0 || (major !== 1 && major !== 2 && major !== 3)) {
    throw new NumpyFileError(
      'UnsupportedVersion',
      `it is of version ${major}.${minor} of the format; 1.0, 2.0 and 3.0 are read. Save it again with np.save.`,
    );
  }
  const start = FIXED_BYTES[major]!;
  if (head.byteLength < start) throw cutShort(size);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataStart = start + length;
  if (length > MAX_DICTIONARY_BYTES) {
    throw new NumpyFileError(
      'InvalidHeader',
      `its header claims ${length} bytes, at most ${MAX_DICTIONARY_BYTES} are read. Save the array again with np.save.`,
    );
  }
  if (dataStart > size) throw cutShort(size);
  if (dataStart > head.byteLength) head = yield [0, dataStart];
  const text = decode(head.subarray(start, dataStart), major);
  const { descr, shape, fortranOrder } = parseNpyDictionary(text, major < 3);
  const type = npyType(descr);
  return { type, shape, fortranOrder, dataStart, byteLength: checkedLength(type, shape, size - dataStart) };
}

function checkedLength(type: NpyType, shape: readonly number[], available: number): number {
  const count = elementCount(shape);
  const byteLength = count === undefined ? Number.NaN : count * type.width;
  if (byteLength === available) return byteLength;
  throw new NumpyFileError(
    'InvalidSize',
    `an array of ${type.dtype} and shape [${shape.join(', ')}] takes ${count === undefined ? 'more than 2^53' : byteLength} ` +
      `bytes, ${available} follow the header. ` +
      (byteLength < available
        ? 'Something else was appended: a file that np.save wrote to twice holds two arrays; save them with np.savez.'
        : 'It is cut short: download or save it again.'),
  );
}

/** Version 3.0 exists for names of fields that are not Latin. */
function decode(bytes: Uint8Array, major: number): string {
  try {
    // `slice` also turns shared memory, which decoders refuse, into our own.
    return new TextDecoder(major < 3 ? 'latin1' : 'utf-8', { fatal: true }).decode(bytes.slice());
  } catch (cause) {
    throw new NumpyFileError('InvalidHeader', 'its header is not UTF-8 text. Download or save it again.', { cause });
  }
}

function cutShort(size: number): NumpyFileError {
  return new NumpyFileError('InvalidSize', `its ${size} bytes end within the header. Download or save it again.`);
}
