import { quote } from '../weightsError.ts';
import type { TensorInfo } from '../weightsFile.ts';
import { NumpyFileError } from './errors.ts';

/** An element type of an array. */
export interface NpyType {
  readonly dtype: TensorInfo['dtype'];
  /** Bytes of one element. */
  readonly width: number;
  /** Bytes that the other byte order has reversed: half a complex number. */
  readonly word: number;
  readonly bigEndian: boolean;
}

/** By kind and bytes of an element, as NumPy writes them. */
const DTYPES: ReadonlyMap<string, TensorInfo['dtype']> = new Map([
  ['b1', 'bool'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['u2', 'uint16'],
  ['u4', 'uint32'],
  ['u8', 'uint64'],
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
  ['c8', 'complex64'],
  ['c16', 'complex128'],
]);

/** What is refused, by the letter of its kind, and the way out. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  [
    'O',
    'Python objects, stored as a pickle, which is a program and is not run. Save an array of numbers: ' +
      'np.save(path, np.asarray(list, dtype=np.float32)), or one array for each object with np.savez',
  ],
  ['S', 'text. Save the numbers without it'],
  ['a', 'text. Save the numbers without it'],
  ['U', 'text. Save the numbers without it'],
  ['M', 'dates. Save them as numbers: array.astype(np.int64)'],
  ['m', 'spans of time. Save them as numbers: array.astype(np.int64)'],
  [
    'V',
    'raw bytes without a type, which is how bfloat16 and float8 of JAX and ml_dtypes are saved, too. Save ' +
      'array.astype(np.float32)',
  ],
]);

/**
 * The type that `descr` names: byte order, kind, bytes ('<f4', '|b1').
 *
 * @throws NumpyFileError UnsupportedDtype, InvalidHeader
 */
export function npyType(descr: string): NpyType {
  const [, order, kind, bytes] = /^([<>|=]?)([a-zA-Z?])(\d*)/.exec(descr) ?? [];
  const dtype = DTYPES.get(`${kind}${bytes}`);
  if (dtype !== undefined && descr === `${order}${kind}${bytes}`) {
    const width = Number(bytes);
    if (width === 1 || order === '<' || order === '>') {
      return { dtype, width, word: kind === 'c' ? width / 2 : width, bigEndian: width > 1 && order === '>' };
    }
    throw new NumpyFileError(
      'InvalidHeader',
      `its element type is ${quote(descr)}; expected a byte order ("<" or ">") in front. Save it again with np.save.`,
    );
  }
  const reason = REFUSED.get(kind ?? '');
  if (reason !== undefined) throw new NumpyFileError('UnsupportedDtype', `it holds ${reason}.`);
  throw new NumpyFileError(
    'UnsupportedDtype',
    `its element type ${quote(descr)} is not known; expected one of ${[...DTYPES.keys()].join(', ')}. Convert the array ` +
      'before saving: array.astype(np.float32).',
  );
}
