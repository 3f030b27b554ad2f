import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../testing/bytes.ts';
import {
  bfloat16Codec,
  float8Codec,
  float16Codec,
  float16ToFloat32Bits,
  float32ToBfloat16Bits,
  float32ToFloat16Bits,
} from './narrowFloats.ts';

const ALL_16 = Array.from({ length: 65536 }, (_, code) => code);

function valueFrom(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}

function bitsFrom(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

/** binary16 by its definition: sign * 2^(e - 25) * (1024 + f), subnormals 2^-24 * f. */
function halfByDefinition(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const e = (code >> 10) & 31;
  const f = code & 1023;
  if (e === 31) return f === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return e === 0 ? sign * f * 2 ** -24 : sign * (1024 + f) * 2 ** (e - 25);
}

describe('float16', () => {
  it('decodes all 65536 codes to the values of the definition', () => {
    const bad = ALL_16.filter((code) => !Object.is(valueFrom(float16ToFloat32Bits(code)), halfByDefinition(code)));
    expect(bad).toEqual([]);
  });

  it('returns all 65536 codes, NaN payloads included, from decode and encode', () => {
    const bytes = new Uint8Array(Uint16Array.from(ALL_16).buffer);
    expect(Buffer.compare(float16Codec.encode(float16Codec.decode(bytes)), bytes)).toBe(0);
  });

  it('rounds to nearest, ties to even, between all neighbours', () => {
    const bad: number[] = [];
    // 0x7bff is the largest finite value; half a step above it, infinity begins.
    for (let code = 0; code <= 0x7bff; code++) {
      const low = halfByDefinition(code);
      const high = code === 0x7bff ? 65536 : halfByDefinition(code + 1);
      const tie = bitsFrom((low + high) / 2);
      const even = code % 2 === 0 ? code : code + 1;
      for (const sign of [0, 0x80000000]) {
        const got = [tie - 1, tie, tie + 1].map((bits) => float32ToFloat16Bits((bits | sign) >>> 0));
        const expected = [code, even, code + 1].map((c) => c | (sign >>> 16));
        if (got.join() !== expected.join()) bad.push(code);
      }
    }
    expect(bad).toEqual([]);
  });

  it('never turns a NaN into an infinity', () => {
    for (const nan of [0x7f800001, 0xff800001, 0x7fc00000, 0xffffffff]) {
      const code = float32ToFloat16Bits(nan);
      expect(code & 0x7c00).toBe(0x7c00);
      expect(code & 0x3ff).not.toBe(0);
    }
  });
});

describe('bfloat16', () => {
  it('is the upper half of float32', () => {
    const bytes = new Uint8Array(Uint16Array.from(ALL_16).buffer);
    const decoded = new Uint32Array(bfloat16Codec.decode(bytes).buffer);
    expect(ALL_16.filter((code) => decoded[code] !== code * 65536)).toEqual([]);
    expect(Buffer.compare(bfloat16Codec.encode(new Float32Array(decoded.buffer)), bytes)).toBe(0);
  });

  it('rounds to nearest, ties to even', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0x7f7f }), fc.boolean(), (code, negative) => {
        const sign = negative ? 0x80000000 : 0;
        const tie = (((code << 16) | 0x8000 | sign) >>> 0) as number;
        const even = code % 2 === 0 ? code : code + 1;
        expect([tie - 1, tie, tie + 1].map(float32ToBfloat16Bits)).toEqual(
          [code, even, code + 1].map((c) => c | (sign >>> 16)),
        );
      }),
    );
  });

  it('never turns a NaN into an infinity', () => {
    for (const nan of [0x7f800001, 0xff800001, 0x7fc00000, 0xffffffff]) {
      const code = float32ToBfloat16Bits(nan);
      expect(code & 0x7f80).toBe(0x7f80);
      expect(code & 0x7f).not.toBe(0);
    }
  });
});

describe.each(['float8_e5m2', 'float8_e4m3fn', 'float8_e8m0fnu', 'float8_e4m3fnuz', 'float8_e5m2fnuz'] as const)(
  '%s',
  (type) => {
    const codec = float8Codec(type);
    const codes = Uint8Array.from({ length: 256 }, (_, code) => code);

    it('returns all 256 codes from decode and encode', () => {
      expect(codec.encode(codec.decode(codes))).toEqual(codes);
    });

    it('encodes a NaN of any pattern as a NaN', () => {
      const nans = new Float32Array(Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001).buffer);
      for (const value of codec.decode(codec.encode(nans))) expect(value).toBeNaN();
    });

    it('refuses a value it would have to round', () => {
      const error = errorOf(() => codec.encode(Float32Array.of(1, 1.03)));
      expect(error.code).toBe('InvalidTensorView');
      expect(error.message).toMatch(/element 1 is 1\.02/);
    });
  },
);
