import { SafetensorsError } from './errors.ts';

/**
 * Conversion between a float type narrower than 32 bits and Float32Array.
 *
 * Both directions work on bit patterns, never on values, so subnormals, signed zeros, infinities and the payload of a
 * NaN come through unchanged. `decode` is exact. `encode` rounds to nearest, ties to even, for 16-bit types; for 8-bit
 * types it takes only values the type holds exactly, because clipping a weight by an unasked-for rounding to 3 bits
 * would be a silent loss.
 */
export interface NarrowFloatCodec {
  readonly decode: (bytes: Uint8Array) => Float32Array;
  readonly encode: (values: Float32Array) => Uint8Array;
}

/** Bit patterns of `values`. A Float32Array always starts on a multiple of 4 bytes, so the view exists. */
function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function decode16(bytes: Uint8Array, widen: (bits: number) => number): Float32Array {
  const out = new Uint32Array(bytes.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = widen(bytes[2 * i]! | (bytes[2 * i + 1]! << 8));
  return new Float32Array(out.buffer);
}

function encode16(values: Float32Array, narrow: (bits: number) => number): Uint8Array {
  const bits = bitsOf(values);
  const out = new Uint8Array(bits.length * 2);
  for (let i = 0; i < bits.length; i++) {
    const half = narrow(bits[i]!);
    out[2 * i] = half & 0xff;
    out[2 * i + 1] = half >>> 8;
  }
  return out;
}

/** IEEE 754 binary16 bits (1 sign, 5 exponent, 10 fraction) to binary32 bits. */
export function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // A subnormal of binary16, fraction * 2^-24, is a normal number of binary32: move its top bit to the hidden place.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

/** binary32 bits to binary16 bits, nearest, ties to even; beyond the largest finite value, infinity. */
export function float32ToFloat16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | narrowNaN(fraction, 13, 0x200);
  if (exponent >= 113) {
    // Rounding may carry out of the fraction into the exponent, and from the largest finite value into infinity: the
    // bit pattern is ordered, so the plain addition does the right thing.
    const wide = ((exponent - 112) << 23) | fraction;
    return sign | Math.min(roundShift(wide, 13), 0x7c00);
  }
  // Below 2^-14 the result is subnormal: fraction * 2^-24, with the hidden bit made explicit. Below 2^-25 it is zero.
  if (exponent < 102) return sign;
  return sign | roundShift(fraction | 0x800000, 126 - exponent);
}

/** binary32 bits to bfloat16 bits (the upper half of binary32), nearest, ties to even. */
export function float32ToBfloat16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7f80 | narrowNaN(magnitude & 0x7fffff, 16, 0x40);
  return sign | roundShift(magnitude, 16);
}

/** The fraction of a NaN cut to size; the quiet bit where the cut would leave 0, which would mean infinity. */
function narrowNaN(fraction: number, shift: number, quiet: number): number {
  if (fraction === 0) return 0;
  return fraction >>> shift || quiet;
}

/** `value / 2^shift` (0 <= value < 2^31, 1 <= shift <= 31), to the nearest integer, ties to even. */
function roundShift(value: number, shift: number): number {
  const floor = value >>> shift;
  const rest = value - floor * 2 ** shift;
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && (floor & 1) === 1) ? floor + 1 : floor;
}

export const float16Codec: NarrowFloatCodec = {
  decode: (bytes) => decode16(bytes, float16ToFloat32Bits),
  encode: (values) => encode16(values, float32ToFloat16Bits),
};

export const bfloat16Codec: NarrowFloatCodec = {
  decode: (bytes) => decode16(bytes, (half) => (half << 16) >>> 0),
  encode: (values) => encode16(values, float32ToBfloat16Bits),
};

export type Float8 = 'float8_e5m2' | 'float8_e4m3fn' | 'float8_e8m0fnu' | 'float8_e4m3fnuz' | 'float8_e5m2fnuz';

const QUIET_NAN = 0x7fc00000;

interface Float8Layout {
  readonly fractionBits: number;
  readonly bias: number;
  /** The binary32 pattern of a code that is not an ordinary number; undefined for the others. */
  readonly special: (code: number) => number | undefined;
}

/** OCP 8-bit floats: 1 sign, E exponent and M fraction bits. `fn`: no infinities; `uz`: no negative zero. */
const FLOAT8: Readonly<Record<Exclude<Float8, 'float8_e8m0fnu'>, Float8Layout>> = {
  float8_e5m2: {
    fractionBits: 2,
    bias: 15,
    special: (code) =>
      (code & 0x7c) === 0x7c ? (((code & 0x80) << 24) | 0x7f800000 | ((code & 3) << 21)) >>> 0 : undefined,
  },
  float8_e4m3fn: {
    fractionBits: 3,
    bias: 7,
    special: (code) => ((code & 0x7f) === 0x7f ? (((code & 0x80) << 24) | QUIET_NAN) >>> 0 : undefined),
  },
  float8_e4m3fnuz: { fractionBits: 3, bias: 8, special: (code) => (code === 0x80 ? QUIET_NAN : undefined) },
  float8_e5m2fnuz: { fractionBits: 2, bias: 16, special: (code) => (code === 0x80 ? QUIET_NAN : undefined) },
};

/** The binary32 pattern of each of the 256 codes of `type`. */
function float8Table(type: Float8): Uint32Array {
  const values = new Float32Array(256);
  const bits = bitsOf(values);
  for (let code = 0; code < 256; code++) {
    if (type === 'float8_e8m0fnu') {
      // A bare exponent: 2^(code - 127), no sign, no zero.
      if (code === 0xff) bits[code] = QUIET_NAN;
      else values[code] = 2 ** (code - 127);
      continue;
    }
    const { fractionBits, bias, special } = FLOAT8[type];
    const pattern = special(code);
    if (pattern !== undefined) {
      bits[code] = pattern;
      continue;
    }
    const exponent = (code & 0x7f) >>> fractionBits;
    const fraction = code & ((1 << fractionBits) - 1);
    const significand = exponent === 0 ? fraction : fraction + (1 << fractionBits);
    const magnitude = significand * 2 ** (Math.max(exponent, 1) - bias - fractionBits);
    values[code] = code & 0x80 ? -magnitude : magnitude;
  }
  return bits;
}

export function float8Codec(type: Float8): NarrowFloatCodec {
  let table: Uint32Array | undefined;
  let codes: Map<number, number> | undefined;
  const decode = (bytes: Uint8Array): Float32Array => {
    table ??= float8Table(type);
    const out = new Uint32Array(bytes.length);
    for (let i = 0; i < out.length; i++) out[i] = table[bytes[i]!]!;
    return new Float32Array(out.buffer);
  };
  const encode = (values: Float32Array): Uint8Array => {
    table ??= float8Table(type);
    codes ??= new Map(Array.from(table, (pattern, code) => [pattern, code]));
    const bits = bitsOf(values);
    const out = new Uint8Array(bits.length);
    for (let i = 0; i < bits.length; i++) {
      // Arithmetic makes NaNs of many patterns; those the type does not have become its standard one.
      const code = codes.get(bits[i]!) ?? (Number.isNaN(values[i]) ? codes.get(QUIET_NAN) : undefined);
      if (code === undefined) {
        throw new SafetensorsError(
          'InvalidTensorView',
          `element ${i} is ${values[i]}, which ${type} cannot hold exactly. Round the values to ${type} first, or ` +
            'store them as float32, float16 or bfloat16.',
        );
      }
      out[i] = code;
    }
    return out;
  };
  return { decode, encode };
}
