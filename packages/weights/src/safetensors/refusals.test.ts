import { describe, expect, it } from 'vitest';
import { errorOf, fileOf, latin1 } from '../testing/bytes.ts';
import type { SafetensorsErrorCode } from './errors.ts';
import { parseSafetensors } from './parse.ts';

const ZEROS_16 = '\0'.repeat(16);
const ONE_TENSOR = '{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}';

/** A one-tensor header around a given description. */
const tensor = (description: string) => `{"a":${description}}`;
const u8 = (rest: string) => tensor(`{"dtype":"U8",${rest}}`);

type Case = readonly [title: string, code: SafetensorsErrorCode, bytes: Uint8Array, message?: RegExp];

/** The invalid files of the reference implementation's own tests and attack scripts, byte for byte. */
const UPSTREAM: readonly Case[] = [
  ['1 empty file', 'HeaderTooSmall', latin1('')],
  ['2 nothing after the length', 'InvalidHeaderLength', latin1('<\0\0\0\0\0\0\0')],
  ['3 huge length', 'HeaderTooLarge', latin1(`<\0\0\0\0\xff\xff\xff${ONE_TENSOR}${ZEROS_16}`)],
  ['4 header not UTF-8', 'InvalidHeader', latin1('\x01\0\0\0\0\0\0\0\xff')],
  ['5 header not JSON', 'InvalidHeaderDeserialization', latin1('\x01\0\0\0\0\0\0\0{')],
  [
    '6 size mismatch',
    'TensorInvalidInfo',
    latin1('<\0\0\0\0\0\0\0{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0, 4]}}'),
    /takes 16 bytes, its data_offsets \[0, 4\] span 4/,
  ],
  [
    '7a overflow of the shape',
    'ValidationOverflow',
    latin1(`O\0\0\0\0\0\0\0{"test":{"dtype":"I32","shape":[2,18446744073709551614],"data_offsets":[0,16]}}${ZEROS_16}`),
  ],
  [
    '7b overflow of shape times element size',
    'ValidationOverflow',
    latin1(`N\0\0\0\0\0\0\0{"test":{"dtype":"I32","shape":[2,9223372036854775807],"data_offsets":[0,16]}}${ZEROS_16}`),
  ],
  [
    '8 trailing bytes',
    'MetadataIncompleteBuffer',
    latin1(`<\0\0\0\0\0\0\0${ONE_TENSOR}${ZEROS_16}extra_bogus_data_for_polyglot_file`),
    /take 16 bytes after the header, the file has 50/,
  ],
  ['9 two bytes missing', 'MetadataIncompleteBuffer', latin1(`<\0\0\0\0\0\0\0${ONE_TENSOR}${'\0'.repeat(14)}`)],
  [
    '10 ten tensors on the same bytes',
    'InvalidOffset',
    fileOf(
      Object.fromEntries(
        Array.from({ length: 10 }, (_, i) => [`weight_${i}`, { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] }]),
      ),
      16,
    ),
    /overlaps/,
  ],
  [
    '11 hole between tensors',
    'InvalidOffset',
    fileOf(
      { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, b: { dtype: 'U8', shape: [1], data_offsets: [2, 3] } },
      3,
    ),
    /leaves a hole/,
  ],
  [
    '12 sub-byte type with an odd count',
    'MisalignedSlice',
    fileOf(tensor('{"dtype":"F4","shape":[1,3],"data_offsets":[0,2]}'), 2),
    /12 bits.*multiple of 2/,
  ],
  ['attack 1: length lie', 'HeaderTooLarge', latin1(`\x01\xe1\xf5\x05\0\0\0\0{}`), /100000001/],
];

/** What JavaScript's laxer JSON would let through, and what the reference reader leaves to the caller. */
const OURS: readonly Case[] = [
  ['7 of 8 length bytes', 'HeaderTooSmall', latin1('\x02\0\0\0\0\0\0')],
  ['length one beyond the end', 'InvalidHeaderLength', latin1('\x03\0\0\0\0\0\0\0{}')],
  ['length 2^53 + 1', 'HeaderTooLarge', latin1('\x01\0\0\0\0\0\x20\0{}')],
  ['UTF-16 surrogate in UTF-8', 'InvalidHeader', fileOf(latin1('{"\xed\xa0\x80":1}'))],
  ['byte order mark', 'InvalidHeaderDeserialization', fileOf('\ufeff{}')],
  ['no header', 'InvalidHeaderDeserialization', fileOf('')],
  ['only spaces', 'InvalidHeaderDeserialization', fileOf('    ')],
  ['array as header', 'InvalidHeaderDeserialization', fileOf('[]')],
  ['null as header', 'InvalidHeaderDeserialization', fileOf('null')],
  ['second value after the object', 'InvalidHeaderDeserialization', fileOf('{}{}')],
  ['NUL as padding', 'InvalidHeaderDeserialization', fileOf('{}\0')],
  ['no-break space as padding', 'InvalidHeaderDeserialization', fileOf('{}\u00a0')],
  ['trailing comma', 'InvalidHeaderDeserialization', fileOf('{"__metadata__":{},}')],
  ['comment', 'InvalidHeaderDeserialization', fileOf('/**/{}')],
  ['single quotes', 'InvalidHeaderDeserialization', fileOf("{'__metadata__':{}}")],
  ['raw newline in a string', 'InvalidHeaderDeserialization', fileOf('{"__metadata__":{"a":"b\nc"}}')],
  ['bad escape', 'InvalidHeaderDeserialization', fileOf('{"\\x41":{}}')],
  ['unpaired surrogate escape', 'InvalidHeaderDeserialization', fileOf('{"\\ud800":{}}')],
  ['unclosed string', 'InvalidHeaderDeserialization', fileOf('{"a')],
  ['unclosed string after an escape', 'InvalidHeaderDeserialization', fileOf('{"a\\')],

  [
    'duplicate tensor',
    'InvalidHeaderDeserialization',
    fileOf(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      2,
    ),
    /each key of the header once at character 53/,
  ],
  [
    'duplicate tensor behind an escape',
    'InvalidHeaderDeserialization',
    fileOf(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      2,
    ),
    /each key of the header once/,
  ],
  ['duplicate field', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[9],"shape":[1],"data_offsets":[0,1]'), 1)],
  ['duplicate __metadata__', 'InvalidHeaderDeserialization', fileOf('{"__metadata__":{},"__metadata__":{}}')],
  ['duplicate metadata key', 'InvalidHeaderDeserialization', fileOf('{"__metadata__":{"a":"1","a":"2"}}')],

  [
    'number in __metadata__',
    'InvalidHeaderDeserialization',
    fileOf('{"__metadata__":{"epoch":3}}'),
    /a string as value/,
  ],
  ['null in __metadata__', 'InvalidHeaderDeserialization', fileOf('{"__metadata__":{"epoch":null}}')],
  ['object in __metadata__', 'InvalidHeaderDeserialization', fileOf('{"__metadata__":{"a":{}}}')],
  ['array as __metadata__', 'InvalidHeaderDeserialization', fileOf('{"__metadata__":[]}')],
  ['null as __metadata__', 'InvalidHeaderDeserialization', fileOf('{"__metadata__":null}')],

  ['negative size', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[-1],"data_offsets":[0,0]'))],
  ['negative zero', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[-0],"data_offsets":[0,0]'))],
  ['two negative sizes', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[-1,-1],"data_offsets":[0,1]'), 1)],
  ['fractional size', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[1.5],"data_offsets":[0,1]'), 1)],
  ['whole size with a fraction', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[1.0],"data_offsets":[0,1]'), 1)],
  ['exponent size', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[1e3],"data_offsets":[0,1000]'), 1000)],
  ['exponent offset', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[10],"data_offsets":[0,1E1]'), 10)],
  ['leading zero', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[01],"data_offsets":[0,1]'), 1)],
  ['plus sign', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[+1],"data_offsets":[0,1]'), 1)],
  ['hexadecimal', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[0x1],"data_offsets":[0,1]'), 1)],
  ['NaN', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[NaN],"data_offsets":[0,1]'), 1)],
  ['string as size', 'InvalidHeaderDeserialization', fileOf(u8('"shape":["1"],"data_offsets":[0,1]'), 1)],
  [
    '2^53, which JSON.parse rounds',
    'ValidationOverflow',
    fileOf(u8('"shape":[9007199254740992],"data_offsets":[0,1]')),
  ],
  ['10^400, which JSON.parse makes Infinity', 'ValidationOverflow', fileOf(u8(`"shape":[1${'0'.repeat(400)}]`))],
  ['offset above 2^53', 'ValidationOverflow', fileOf(u8('"shape":[1],"data_offsets":[0,9007199254740993]'), 1)],
  [
    'product above 2^53 from safe sizes',
    'ValidationOverflow',
    fileOf(u8('"shape":[134217728,134217728],"data_offsets":[0,0]')),
  ],
  [
    'product above 2^53 that a later 0 would hide',
    'ValidationOverflow',
    fileOf(u8('"shape":[4294967296,4294967296,0],"data_offsets":[0,0]')),
  ],

  ['reversed offsets', 'InvalidOffset', fileOf(u8('"shape":[1],"data_offsets":[1,0]'), 1), /is reversed/],
  ['first tensor not at 0', 'InvalidOffset', fileOf(u8('"shape":[1],"data_offsets":[1,2]'), 2), /leaves a hole/],
  [
    'partial overlap',
    'InvalidOffset',
    fileOf(
      { a: { dtype: 'U8', shape: [3], data_offsets: [0, 3] }, b: { dtype: 'U8', shape: [2], data_offsets: [2, 4] } },
      4,
    ),
    /overlaps/,
  ],
  [
    'offsets beyond the file',
    'MetadataIncompleteBuffer',
    fileOf(u8('"shape":[9],"data_offsets":[0,9]'), 8),
    /cut short/,
  ],
  ['one offset', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[1],"data_offsets":[0]'), 1)],
  ['three offsets', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[1],"data_offsets":[0,1,1]'), 1)],
  ['offsets as object', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[1],"data_offsets":{"0":0,"1":1}'), 1)],

  ['unknown dtype', 'InvalidHeaderDeserialization', fileOf(tensor('{"dtype":"Q8"}')), /one of BOOL, F4.*"Q8"/],
  ['dtype in lower case', 'InvalidHeaderDeserialization', fileOf(tensor('{"dtype":"f32"}'))],
  ['dtype from Object.prototype', 'InvalidHeaderDeserialization', fileOf(tensor('{"dtype":"constructor"}'))],
  ['dtype a number', 'InvalidHeaderDeserialization', fileOf(tensor('{"dtype":8}'))],
  ['no dtype', 'InvalidHeaderDeserialization', fileOf(tensor('{"shape":[1],"data_offsets":[0,1]}'), 1)],
  ['no shape', 'InvalidHeaderDeserialization', fileOf(u8('"data_offsets":[0,1]'), 1)],
  ['no offsets', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[1]'), 1)],
  ['unknown field', 'InvalidHeaderDeserialization', fileOf(u8('"shape":[1],"data_offsets":[0,1],"strides":[4]'), 1)],
  [
    'rank 65',
    'InvalidHeaderDeserialization',
    fileOf(u8(`"shape":[${Array(65).fill(1).join()}],"data_offsets":[0,1]`), 1),
  ],
  ['string instead of a description', 'InvalidHeaderDeserialization', fileOf(tensor('"U8"'))],
  ['prototype as description', 'InvalidHeaderDeserialization', fileOf('{"__proto__":{"polluted":"yes"}}')],
  [
    'six bits that end off a byte',
    'MisalignedSlice',
    fileOf(tensor('{"dtype":"F6_E2M3","shape":[2],"data_offsets":[0,2]}'), 2),
  ],
  ['100,000 open brackets', 'InvalidHeaderDeserialization', fileOf(`{"a":${'['.repeat(100_000)}`)],
  ['100,000 open braces', 'InvalidHeaderDeserialization', fileOf('{"a":'.repeat(100_000))],
];

describe.each([
  ['the reference implementation refuses', UPSTREAM],
  ['we refuse besides', OURS],
] as const)('files that %s', (_, cases) => {
  for (const [title, code, bytes, message] of cases) {
    it(`${title}: ${code}`, () => {
      const error = errorOf(() => parseSafetensors(bytes));
      expect(error.code).toBe(code);
      if (message) expect(error.message).toMatch(message);
    });
  }
});

describe('refusals in general', () => {
  it('covers a file cut at every length', () => {
    const whole = fileOf({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, 8);
    for (let length = 0; length < whole.length; length++) {
      const code = errorOf(() => parseSafetensors(whole.slice(0, length))).code;
      const headerEnd = whole.length - 8;
      expect(code).toBe(
        length < 8 ? 'HeaderTooSmall' : length < headerEnd ? 'InvalidHeaderLength' : 'MetadataIncompleteBuffer',
      );
    }
  });

  it('does not pollute prototypes', () => {
    errorOf(() => parseSafetensors(fileOf('{"__proto__":{"polluted":"yes"}}')));
    parseSafetensors(fileOf('{"__metadata__":{"__proto__":"x","constructor":"y"}}'));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('keeps hostile text short and escaped in messages', () => {
    const name = `${'x'.repeat(10_000)}\\u001b[31m`;
    const error = errorOf(() => parseSafetensors(fileOf(`{"\\u001b[31m${name}":{"dtype":"U8"}}`)));
    expect(error.message.length).toBeLessThan(500);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what must not get through
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
  });

  it('refuses what is not bytes', () => {
    for (const wrong of [undefined, null, 'file.safetensors', {}, [1, 2, 3], 8]) {
      expect(errorOf(() => parseSafetensors(wrong as never)).code).toBe('InvalidArgument');
    }
  });
});

describe('time stays proportional to the file', () => {
  /** Seconds of one call. The bounds are about twenty times what a slow machine needs; quadratic work exceeds them. */
  function seconds(run: () => void): number {
    const start = performance.now();
    run();
    return (performance.now() - start) / 1000;
  }

  function manyTensors(count: number, offsets: (i: number) => [number, number]): Uint8Array {
    const members = Array.from({ length: count }, (_, i) => {
      const [begin, end] = offsets(i);
      return `"blocks.${i}.attention.weight":{"dtype":"U8","shape":[1],"data_offsets":[${begin},${end}]}`;
    });
    return fileOf(`{${members.join()}}`, count);
  }

  it('opens 100,000 tensors in the order of their bytes and in the reverse', () => {
    const forward = manyTensors(100_000, (i) => [i, i + 1]);
    const backward = manyTensors(100_000, (i) => [99_999 - i, 100_000 - i]);
    expect(seconds(() => expect(parseSafetensors(forward).names).toHaveLength(100_000))).toBeLessThan(5);
    expect(
      seconds(() => expect(parseSafetensors(backward).names[0]).toBe('blocks.99999.attention.weight')),
    ).toBeLessThan(5);
  });

  it('refuses 100,000 overlapping tensors (attack 3)', () => {
    const file = manyTensors(100_000, () => [0, 1]);
    expect(seconds(() => expect(errorOf(() => parseSafetensors(file)).code).toBe('InvalidOffset'))).toBeLessThan(5);
  });

  it('finds near names among 100,000', () => {
    const file = parseSafetensors(manyTensors(100_000, (i) => [i, i + 1]));
    expect(seconds(() => errorOf(() => file.get('blocks.7.atention.weight')))).toBeLessThan(5);
  });

  it('refuses a shape of a million sizes', () => {
    const file = fileOf(u8(`"shape":[${'1,'.repeat(1_000_000)}1],"data_offsets":[0,1]`), 1);
    expect(seconds(() => errorOf(() => parseSafetensors(file)))).toBeLessThan(2);
  });
});
