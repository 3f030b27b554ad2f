import { PickleError } from '../pickle/errors.ts';
import { type Budget, isTuple, PickleCallable, PickleObject, type PickleValue, typeNameOf } from '../pickle/values.ts';
import { STORED_TYPE_BY_DTYPE } from '../safetensors/storedTypes.ts';
import type { Dtype, StateTensor } from '../stateTensor.ts';
import { TorchFileError } from './errors.ts';
import { gather, reverseBytes } from './gather.ts';
import { MAX_RANK } from './objects.ts';

/** NumPy's letters for types of fixed size. Strings, dates, records and above all objects are not among them. */
const NUMPY_DTYPES: ReadonlyMap<string, Dtype> = new Map([
  ['f8', 'float64'],
  ['f4', 'float32'],
  ['f2', 'float16'],
  ['i8', 'int64'],
  ['i4', 'int32'],
  ['i2', 'int16'],
  ['i1', 'int8'],
  ['u8', 'uint64'],
  ['u4', 'uint32'],
  ['u2', 'uint16'],
  ['u1', 'uint8'],
  ['b1', 'bool'],
]);

/** `numpy.dtype`. */
export class NumpyDtype extends PickleObject {
  readonly typeName = 'numpy.dtype';
  readonly dtype: Dtype;
  readonly width: number;
  bigEndian = false;

  constructor(code: string) {
    super();
    const dtype = NUMPY_DTYPES.get(code);
    if (dtype === undefined) {
      throw new PickleError(
        'InvalidPickle',
        'it holds a NumPy value of another type than numbers and booleans. Remove it and save the file again.',
      );
    }
    this.dtype = dtype;
    this.width = Number(code[1]);
  }

  /** (version, byte order, subtype, names, fields, size, alignment, flags[, metadata]) */
  build(state: PickleValue): void {
    const [, order, ...rest] = isTuple(state) ? state : [];
    const plain = rest.slice(0, 3).every((part) => part === null) && rest.length >= 3;
    if (typeof order !== 'string' || !/^[<>|=]$/.test(order) || !plain) {
      throw new PickleError(
        'InvalidPickle',
        `a numpy.dtype is given ${typeNameOf(state)} as state, which is not a plain type's.`,
      );
    }
    this.bigEndian = order === '>';
  }
}

/** `numpy.ndarray`: its bytes lie in the pickle itself. */
export class NumpyArray extends PickleObject {
  readonly typeName = 'numpy.ndarray';
  #content:
    | {
        readonly dtype: NumpyDtype;
        readonly shape: readonly number[];
        readonly columnMajor: boolean;
        readonly bytes: Uint8Array;
      }
    | undefined;

  /** (version, shape, dtype, column-major, bytes) */
  build(state: PickleValue, budget: Budget): void {
    const [, shape, dtype, columnMajor, data] = isTuple(state) && state.length === 5 ? state : [];
    const bytes = bytesOf(data);
    const goodShape =
      isTuple(shape) &&
      shape.length <= MAX_RANK &&
      shape.every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0);
    if (!goodShape || !(dtype instanceof NumpyDtype) || typeof columnMajor !== 'boolean' || bytes === undefined) {
      throw new PickleError(
        'InvalidPickle',
        `a numpy.ndarray is given ${typeNameOf(state)} as state, which is not an array's.`,
      );
    }
    const sizes = shape as readonly number[];
    const length = sizes.reduce((product, size) => product * size, 1);
    if (length * dtype.width !== bytes.byteLength) {
      throw new PickleError(
        'InvalidPickle',
        `a numpy.ndarray of shape [${sizes.join(', ')}] and type ${dtype.dtype} has ${bytes.byteLength} bytes.`,
      );
    }
    budget.charge(4 + sizes.length);
    this.#content = { dtype, shape: sizes, columnMajor, bytes };
  }

  /** The array as a tensor, rows first. @throws TorchFileError InvalidCheckpoint if it was never given its contents */
  toTensor(): StateTensor {
    if (this.#content === undefined)
      throw new TorchFileError('InvalidCheckpoint', 'a numpy.ndarray was never given its contents.');
    const { dtype, shape, columnMajor, bytes } = this.#content;
    const stride: number[] = [];
    let step = 1;
    for (let axis = 0; axis < shape.length; axis++) {
      stride.push(step);
      step *= shape[axis]!;
    }
    const rows = columnMajor ? gather(bytes, dtype.width, shape, stride) : bytes.slice();
    return tensorOf(dtype, shape, rows);
  }
}

function tensorOf({ dtype, width, bigEndian }: NumpyDtype, shape: readonly number[], bytes: Uint8Array): StateTensor {
  if (bigEndian) reverseBytes(bytes, width);
  return { dtype, shape, data: STORED_TYPE_BY_DTYPE.get(dtype)!.carrier!.view(bytes) };
}

/** Bytes as Python 3 writes them, or Python 2, where a string that happens to be UTF-8 was taken for text. */
function bytesOf(value: PickleValue | undefined): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' && value.length < 256 ? new TextEncoder().encode(value) : undefined;
}

/** `numpy.float64(0.5)` and its like become plain numbers. */
function scalar(args: readonly PickleValue[], budget: Budget): PickleValue {
  const [dtype, data] = args;
  const bytes = bytesOf(data);
  if (args.length !== 2 || !(dtype instanceof NumpyDtype) || bytes?.byteLength !== dtype.width) {
    throw new PickleError('InvalidPickle', `a NumPy scalar is made of ${args.slice(0, 8).map(typeNameOf).join(', ')}.`);
  }
  budget.charge(2);
  const [value] = tensorOf(dtype, [], bytes.slice()).data;
  if (dtype.dtype === 'bool') return value !== 0;
  const small = Number(value);
  return typeof value === 'bigint' && !Number.isSafeInteger(small) ? value : small;
}

/** `numpy.dtype('f8', align, copy)` */
function dtypeOf(args: readonly PickleValue[]): NumpyDtype {
  const [code] = args;
  if (args.length < 1 || args.length > 3 || typeof code !== 'string') {
    throw new PickleError(
      'InvalidPickle',
      `numpy.dtype is called with ${args.slice(0, 8).map(typeNameOf).join(', ')}.`,
    );
  }
  return new NumpyDtype(code);
}

const NDARRAY = new PickleCallable('numpy.ndarray', () => {
  throw new PickleError('InvalidPickle', 'numpy.ndarray is called, which no pickle of an array does.');
});

/** (numpy.ndarray, (0,), b'b'): an empty array, which is given its contents later. */
function reconstruct(args: readonly PickleValue[]): NumpyArray {
  if (args.length !== 3 || args[0] !== NDARRAY) {
    throw new PickleError('InvalidPickle', `a NumPy array of the class ${typeNameOf(args[0])} is no plain array.`);
  }
  return new NumpyArray();
}

/** NumPy 2 renamed the module. */
export const NUMPY_GLOBALS: readonly (readonly [string, PickleValue])[] = [
  ['numpy.dtype', new PickleCallable('numpy.dtype', dtypeOf)],
  ['numpy.ndarray', NDARRAY],
  ...['numpy.core.multiarray', 'numpy._core.multiarray'].flatMap((module) => [
    [`${module}.scalar`, new PickleCallable('numpy.core.multiarray.scalar', scalar)] as const,
    [`${module}._reconstruct`, new PickleCallable('numpy.core.multiarray._reconstruct', reconstruct)] as const,
  ]),
];
