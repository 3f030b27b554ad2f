import type { Dtype } from '../stateTensor.ts';

/** Element types that PyTorch stores and no JavaScript array carries. They can be listed and their raw bytes read. */
export type TorchOpaqueDtype = 'complex32' | 'complex64' | 'complex128' | 'qint8' | 'quint8' | 'qint32';

/** An element type of PyTorch. */
export interface TorchType {
  readonly dtype: Dtype | TorchOpaqueDtype;
  /** Bytes of one element. */
  readonly width: number;
  /** Bytes that a machine of the other byte order has reversed: half a complex number. */
  readonly word: number;
}

const type = (dtype: TorchType['dtype'], width: number, word = width): TorchType => ({ dtype, width, word });

/** By the name after `torch.` in a pickle. */
export const TORCH_DTYPES: ReadonlyMap<string, TorchType> = new Map(
  [
    type('float64', 8),
    type('float32', 4),
    type('float16', 2),
    type('bfloat16', 2),
    type('float8_e5m2', 1),
    type('float8_e4m3fn', 1),
    type('float8_e8m0fnu', 1),
    type('float8_e4m3fnuz', 1),
    type('float8_e5m2fnuz', 1),
    type('int64', 8),
    type('int32', 4),
    type('int16', 2),
    type('int8', 1),
    type('uint64', 8),
    type('uint32', 4),
    type('uint16', 2),
    type('uint8', 1),
    type('bool', 1),
    type('complex32', 4, 2),
    type('complex64', 8, 4),
    type('complex128', 16, 8),
    type('qint8', 1),
    type('quint8', 1),
    type('qint32', 4),
  ].map((t) => [t.dtype, t]),
);

const named = (dtype: string): TorchType => TORCH_DTYPES.get(dtype)!;

/** By the class of storage that a pickle names. An untyped storage counts bytes. */
export const STORAGE_TYPES: ReadonlyMap<string, TorchType> = new Map([
  ['DoubleStorage', named('float64')],
  ['FloatStorage', named('float32')],
  ['HalfStorage', named('float16')],
  ['BFloat16Storage', named('bfloat16')],
  ['LongStorage', named('int64')],
  ['IntStorage', named('int32')],
  ['ShortStorage', named('int16')],
  ['CharStorage', named('int8')],
  ['ByteStorage', named('uint8')],
  ['BoolStorage', named('bool')],
  ['ComplexFloatStorage', named('complex64')],
  ['ComplexDoubleStorage', named('complex128')],
  ['QInt8Storage', named('qint8')],
  ['QUInt8Storage', named('quint8')],
  ['QInt32Storage', named('qint32')],
  ['UntypedStorage', named('uint8')],
]);
