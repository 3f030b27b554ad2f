import { float16Codec } from '../safetensors/narrowFloats.ts';
import type { TensorInfo } from '../weightsFile.ts';

/** How the numbers of a weight lie in its shard. */
export type Quantization =
  | { readonly dtype: 'uint8' | 'uint16'; readonly scale: number; readonly min: number }
  | { readonly dtype: 'float16' };

/** Bytes of one element, by the dtypes of weights. */
export const WEIGHT_WIDTHS: ReadonlyMap<string, number> = new Map([
  ['float32', 4],
  ['int32', 4],
  ['bool', 1],
  ['uint8', 1],
  ['uint16', 2],
  ['complex64', 8],
] satisfies [TensorInfo['dtype'], number][]);

/** Bytes of one element that was quantised. */
export const QUANTIZED_WIDTHS: ReadonlyMap<string, number> = new Map([
  ['uint8', 1],
  ['uint16', 2],
  ['float16', 2],
]);

/**
 * The weights behind quantised numbers, as little-endian bytes:
 *
 *     float32:  value * scale + min, in doubles, then rounded to float32
 *     int32:    floor(value * scale + min + 1/2), in doubles
 *     float16:  the value itself
 *
 * exactly as `tf.io.decodeWeights` computes them.
 */
export function dequantize(stored: Uint8Array, quantization: Quantization, dtype: 'float32' | 'int32'): Uint8Array {
  if (quantization.dtype === 'float16') return bytesOf(float16Codec.decode(stored));
  const { scale, min } = quantization;
  const values = quantization.dtype === 'uint8' ? stored : uint16(stored);
  const out = dtype === 'float32' ? new Float32Array(values.length) : new Int32Array(values.length);
  if (dtype === 'float32') for (let i = 0; i < out.length; i++) out[i] = values[i]! * scale + min;
  else for (let i = 0; i < out.length; i++) out[i] = Math.round(values[i]! * scale + min);
  return bytesOf(out);
}

function uint16(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
