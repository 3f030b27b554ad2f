import type { TensorInfo } from '../weightsFile.ts';

/** Element types of ONNX that no JavaScript array carries. They can be listed and their raw bytes read. */
export type OnnxOpaqueDtype = 'complex128' | 'uint4' | 'int4' | 'uint2' | 'int2';

/** The field of a TensorProto that holds numbers of a type, where `raw_data` does not. */
export type DataField = 'float_data' | 'int32_data' | 'int64_data' | 'double_data' | 'uint64_data';

/** An element type, `TensorProto.DataType`. */
export interface OnnxType {
  readonly dtype: TensorInfo['dtype'];
  /** Bits of one element. Types below 8 bits are packed, the first element in the lowest bits. */
  readonly bits: number;
  readonly field: DataField;
  /** Whether numbers of `field` may be negative. */
  readonly signed: boolean;
}

const type = (dtype: TensorInfo['dtype'], bits: number, field: DataField, signed = false): OnnxType => ({
  dtype,
  bits,
  field,
  signed,
});

/** By their number in the protocol. Those that are not here: 0 (undefined), 8 (text), and what came after this was written. */
export const ONNX_TYPES: ReadonlyMap<number, OnnxType> = new Map([
  [1, type('float32', 32, 'float_data')],
  [2, type('uint8', 8, 'int32_data')],
  [3, type('int8', 8, 'int32_data', true)],
  [4, type('uint16', 16, 'int32_data')],
  [5, type('int16', 16, 'int32_data', true)],
  [6, type('int32', 32, 'int32_data', true)],
  [7, type('int64', 64, 'int64_data', true)],
  [9, type('bool', 8, 'int32_data')],
  [10, type('float16', 16, 'int32_data')],
  [11, type('float64', 64, 'double_data')],
  [12, type('uint32', 32, 'uint64_data')],
  [13, type('uint64', 64, 'uint64_data')],
  [14, type('complex64', 64, 'float_data')],
  [15, type('complex128', 128, 'double_data')],
  [16, type('bfloat16', 16, 'int32_data')],
  [17, type('float8_e4m3fn', 8, 'int32_data')],
  [18, type('float8_e4m3fnuz', 8, 'int32_data')],
  [19, type('float8_e5m2', 8, 'int32_data')],
  [20, type('float8_e5m2fnuz', 8, 'int32_data')],
  [21, type('uint4', 4, 'int32_data')],
  [22, type('int4', 4, 'int32_data')],
  [23, type('float4_e2m1fn', 4, 'int32_data')],
  [24, type('float8_e8m0fnu', 8, 'int32_data')],
  [25, type('uint2', 2, 'int32_data')],
  [26, type('int2', 2, 'int32_data')],
]);
