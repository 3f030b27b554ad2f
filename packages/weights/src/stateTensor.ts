/**
 * Element types a state dict can hold, under the names PyTorch gives them.
 *
 * The name says what the numbers *mean* in the file; {@link StateTensor} says which array carries them in memory.
 */
export type Dtype =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float8_e5m2'
  | 'float8_e4m3fn'
  | 'float8_e8m0fnu'
  | 'float8_e4m3fnuz'
  | 'float8_e5m2fnuz'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool';

/** The arrays a {@link StateTensor} may carry. */
export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/**
 * One named entry of a state dict, detached from any file format and any tensor library.
 *
 * It is a plain structure on purpose: whoever consumes weights can accept this shape without importing this package.
 *
 * - `dtype`: the element type in the file.
 * - `shape`: row-major, in the layout of the file (PyTorch layouts for PyTorch checkpoints); `[]` is a scalar.
 * - `data`: `product(shape)` elements. Float types narrower than 32 bits (float16, bfloat16, float8) are carried in a
 *   Float32Array, which holds each of their values exactly; `bool` in a Uint8Array (0 = false); `int64` and `uint64` in
 *   BigInt arrays; every other type in the typed array of its own name.
 */
export interface StateTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}
