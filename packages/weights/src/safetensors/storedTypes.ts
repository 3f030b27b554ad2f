import type { Dtype, TensorData } from '../stateTensor.ts';
import { bfloat16Codec, float8Codec, float16Codec, type NarrowFloatCodec } from './narrowFloats.ts';

/** Types the format knows and no JavaScript array carries. They can be listed and their raw bytes read. */
export type OpaqueDtype = 'complex64' | 'float4_e2m1fn' | 'float6_e2m3fn' | 'float6_e3m2fn';

/** One element type of the format. */
export interface StoredType {
  /** The name in the file's header. */
  readonly code: string;
  readonly dtype: Dtype | OpaqueDtype;
  /** Bits of one element. */
  readonly bits: number;
  /** Place in the writer's order: higher ranks are written first, so every tensor starts aligned to its element. */
  readonly rank: number;
  /** How elements become a typed array; absent for {@link OpaqueDtype}s. */
  readonly carrier?: Carrier;
}

/** `arrayName`: the typed array in memory. `codec`: conversion, for types that are narrower in the file. */
export interface Carrier {
  readonly arrayName: string;
  readonly view: (bytes: Uint8Array) => TensorData;
  readonly codec?: NarrowFloatCodec;
}

interface TypedArrayConstructor {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TensorData;
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
}

/**
 * The elements in `bytes` as an array of `arrayType`, without a copy where the bytes start on a multiple of the
 * element size (a typed array cannot start elsewhere), with one where they do not.
 */
function carriedBy(arrayType: TypedArrayConstructor): Carrier {
  const width = arrayType.BYTES_PER_ELEMENT;
  return {
    arrayName: arrayType.name,
    view: (bytes) => {
      const { buffer, byteOffset, byteLength } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
      return new arrayType(buffer, byteOffset, byteLength / width);
    },
  };
}

function decodedBy(codec: NarrowFloatCodec): Carrier {
  return { arrayName: 'Float32Array', view: codec.decode, codec };
}

/** In the ascending order of the reference writer. */
const ASCENDING: readonly Omit<StoredType, 'rank'>[] = [
  { code: 'BOOL', dtype: 'bool', bits: 8, carrier: carriedBy(Uint8Array) },
  { code: 'F4', dtype: 'float4_e2m1fn', bits: 4 },
  { code: 'F6_E2M3', dtype: 'float6_e2m3fn', bits: 6 },
  { code: 'F6_E3M2', dtype: 'float6_e3m2fn', bits: 6 },
  { code: 'U8', dtype: 'uint8', bits: 8, carrier: carriedBy(Uint8Array) },
  { code: 'I8', dtype: 'int8', bits: 8, carrier: carriedBy(Int8Array) },
  { code: 'F8_E5M2', dtype: 'float8_e5m2', bits: 8, carrier: decodedBy(float8Codec('float8_e5m2')) },
  { code: 'F8_E4M3', dtype: 'float8_e4m3fn', bits: 8, carrier: decodedBy(float8Codec('float8_e4m3fn')) },
  { code: 'F8_E8M0', dtype: 'float8_e8m0fnu', bits: 8, carrier: decodedBy(float8Codec('float8_e8m0fnu')) },
  { code: 'F8_E4M3FNUZ', dtype: 'float8_e4m3fnuz', bits: 8, carrier: decodedBy(float8Codec('float8_e4m3fnuz')) },
  { code: 'F8_E5M2FNUZ', dtype: 'float8_e5m2fnuz', bits: 8, carrier: decodedBy(float8Codec('float8_e5m2fnuz')) },
  { code: 'I16', dtype: 'int16', bits: 16, carrier: carriedBy(Int16Array) },
  { code: 'U16', dtype: 'uint16', bits: 16, carrier: carriedBy(Uint16Array) },
  { code: 'F16', dtype: 'float16', bits: 16, carrier: decodedBy(float16Codec) },
  { code: 'BF16', dtype: 'bfloat16', bits: 16, carrier: decodedBy(bfloat16Codec) },
  { code: 'I32', dtype: 'int32', bits: 32, carrier: carriedBy(Int32Array) },
  { code: 'U32', dtype: 'uint32', bits: 32, carrier: carriedBy(Uint32Array) },
  { code: 'F32', dtype: 'float32', bits: 32, carrier: carriedBy(Float32Array) },
  { code: 'C64', dtype: 'complex64', bits: 64 },
  { code: 'F64', dtype: 'float64', bits: 64, carrier: carriedBy(Float64Array) },
  { code: 'I64', dtype: 'int64', bits: 64, carrier: carriedBy(BigInt64Array) },
  { code: 'U64', dtype: 'uint64', bits: 64, carrier: carriedBy(BigUint64Array) },
];

const STORED_TYPES: readonly StoredType[] = ASCENDING.map((type, rank) => ({ ...type, rank }));

export const STORED_TYPE_BY_CODE: ReadonlyMap<string, StoredType> = new Map(STORED_TYPES.map((t) => [t.code, t]));

export const STORED_TYPE_BY_DTYPE: ReadonlyMap<string, StoredType> = new Map(STORED_TYPES.map((t) => [t.dtype, t]));
