import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { latin1 } from '../testing/bytes.ts';
import { npyHeader, npyOf } from '../testing/npyBuilder.ts';
import { rejection } from '../testing/rejection.ts';
import { joined, type TestEntry, zipOf } from '../testing/zipBuilder.ts';
import { crc32 } from '../zip/crc32.ts';
import { NumpyFileError, type NumpyFileErrorCode } from './errors.ts';
import { openNumpy } from './openNumpy.ts';

/** The refusal of a file when it is opened, or when everything in it is read. */
async function refusal(bytes: Uint8Array): Promise<NumpyFileError> {
  return await rejection(
    openNumpy(bytes).then((file) => Promise.all(file.names.map((name) => file.bytes(name)))),
    NumpyFileError,
  );
}

const F4 = npyHeader('<f4', '(2,)');

describe('headers', () => {
  it.each([
    ['as NumPy 1 writes it', "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n"],
    ['in another order, with double quotes', '{"shape":(2,),"descr":"<f4","fortran_order":False}'],
    ['with the numbers of Python 2', "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,)}"],
    ['with two axes', "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}"],
  ])('%s', async (_, header) => {
    const file = await openNumpy(npyOf(header, Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192)));
    expect((await file.get('arr_0')).data).toEqual(Float32Array.of(1, -2));
  });

  it.each<[string, NumpyFileErrorCode, Uint8Array]>([
    ['a version of the future', 'UnsupportedVersion', npyOf(F4, 8, 4)],
    ['a minor version', 'UnsupportedVersion', npyOf(F4, 8, 1, 1)],
    ['version 0', 'UnsupportedVersion', npyOf(F4, 8, 0)],
    ['the magic number alone', 'UnsupportedVersion', latin1('\x93NUMPY')],
    ['an end within the length', 'InvalidSize', latin1('\x93NUMPY\x01\0\x10')],
    ['a header beyond the end', 'InvalidSize', latin1("\x93NUMPY\x01\0\xff\xff{'descr'")],
    ['a header of 4 GiB', 'InvalidHeader', latin1('\x93NUMPY\x02\0\xff\xff\xff\xff{')],
    ['a header of 70 kB', 'InvalidHeader', npyOf(F4 + ' '.repeat(70_000), 8, 2)],
    ['bytes that are not UTF-8', 'InvalidHeader', npyOf(latin1("{'descr': '\xff'}"), 8, 3)],
    ['no header', 'InvalidHeader', npyOf('', 8)],
    ['no dictionary', 'InvalidHeader', npyOf('[1, 2]', 8)],
    ['a call', 'InvalidHeader', npyOf("__import__('os').system('true')", 8)],
    ['a call within', 'InvalidHeader', npyOf("{'descr': str('<f4'), 'fortran_order': False, 'shape': (2,)}", 8)],
    ['a sum', 'InvalidHeader', npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': (1+1,)}", 8)],
    ['a missing key', 'InvalidHeader', npyOf("{'descr': '<f4', 'shape': (2,)}", 8)],
    ['another key', 'InvalidHeader', npyOf(F4.replace('}', "'x': 1}"), 8)],
    ['a key twice', 'InvalidHeader', npyOf(F4.replace('}', "'shape': (2,)}"), 8)],
    ['something behind', 'InvalidHeader', npyOf(`${F4};`, 8)],
    ['a NUL behind', 'InvalidHeader', npyOf(`${F4}\0`, 8)],
    ['no end', 'InvalidHeader', npyOf(F4.replace('}', ''), 8)],
    ['an open string', 'InvalidHeader', npyOf("{'descr: '<f4'}", 8)],
    ['an escape', 'InvalidHeader', npyOf(F4.replace('<f4', '\\x3cf4'), 8)],
    ['two strings in one', 'InvalidHeader', npyOf(F4.replace("'<f4'", "'<' 'f4'"), 8)],
    ['a prefixed string', 'InvalidHeader', npyOf(F4.replace("'<f4'", "b'<f4'"), 8)],
    ['no byte order', 'InvalidHeader', npyOf(F4.replace('<f4', 'f4'), 8)],
    ['byte order "="', 'InvalidHeader', npyOf(F4.replace('<f4', '=f4'), 8)],
    ['fortran_order 0', 'InvalidHeader', npyOf(npyHeader('<f4', '(2,)', '0'), 8)],
    ['fortran_order Falsey', 'InvalidHeader', npyOf(npyHeader('<f4', '(2,)', 'Falsey'), 8)],
    ['a number as shape', 'InvalidHeader', npyOf(npyHeader('<f4', '2'), 8)],
    ['a number in parentheses as shape', 'InvalidHeader', npyOf(npyHeader('<f4', '(2)'), 8)],
    ['a list as shape', 'InvalidHeader', npyOf(npyHeader('<f4', '[2]'), 8)],
    ['a negative size', 'InvalidHeader', npyOf(npyHeader('<f4', '(-2,)'), 8)],
    ['a fraction', 'InvalidHeader', npyOf(npyHeader('<f4', '(2.0,)'), 8)],
    ['an exponent', 'InvalidHeader', npyOf(npyHeader('<f4', '(2e0,)'), 8)],
    ['a hexadecimal', 'InvalidHeader', npyOf(npyHeader('<f4', '(0x2,)'), 8)],
    ['digits in groups', 'InvalidHeader', npyOf(npyHeader('<f4', '(1_0,)'), 8)],
    ['a truth value as size', 'InvalidHeader', npyOf(npyHeader('<f4', '(True,)'), 8)],
    ['two commas', 'InvalidHeader', npyOf(npyHeader('<f4', '(2,,)'), 8)],
    ['two numbers without a comma', 'InvalidHeader', npyOf(npyHeader('<f4', '(2 1)'), 8)],
    ['Python 2 in version 3', 'InvalidHeader', npyOf(npyHeader('<f4', '(2L,)'), 8, 3)],
    ['a size above 2^53', 'InvalidHeader', npyOf(npyHeader('<f4', '(9007199254740993,)'), 8)],
    ['65 axes', 'InvalidHeader', npyOf(npyHeader('<f4', `(${'1,'.repeat(65)})`), 8)],
    ['a product above 2^53', 'InvalidSize', npyOf(npyHeader('<f4', '(94906267, 94906267)'), 8)],
    ['a product above 2^53 that is 0', 'InvalidSize', npyOf(npyHeader('<f4', '(94906267, 94906267, 0)'), 0)],
    ['too few bytes', 'InvalidSize', npyOf(F4, 7)],
    ['too many bytes', 'InvalidSize', npyOf(F4, 9)],
    ['two arrays', 'InvalidSize', joined(npyOf(F4, 8), npyOf(F4, 8))],
    ['a record', 'UnsupportedDtype', npyOf("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 8)],
    ['a part of an array as element', 'UnsupportedDtype', npyOf("{'descr': ('<f4', (2,))}", 8)],
    ['objects', 'UnsupportedDtype', npyOf(npyHeader('|O', '(2,)'), latin1('cos\nsystem\n(tR.'))],
    ['an unknown type', 'UnsupportedDtype', npyOf(npyHeader('<q4', '(2,)'), 8)],
    ['a type with something behind', 'UnsupportedDtype', npyOf(npyHeader('<f4,<f4', '(1,)'), 8)],
    ['an empty type', 'UnsupportedDtype', npyOf(npyHeader('', '(2,)'), 8)],
  ])('with %s: %s', async (_, code, bytes) => {
    const error = await refusal(bytes);
    expect(error.code, error.message).toBe(code);
  });

  it('a header of deep nesting or of many sizes takes no time', async () => {
    const many = npyOf(npyHeader('<f4', `(${'1,'.repeat(30_000)})`), 8);
    const deep = npyOf(`{'descr': '<f4', 'shape': ${'('.repeat(60_000)}`, 8);
    const start = performance.now();
    for (const bytes of [many, deep]) expect((await refusal(bytes)).code).toBe('InvalidHeader');
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('archives', () => {
  const good: TestEntry = { name: 'a.npy', bytes: npyOf(F4, 8) };
  const zeros = npyOf(npyHeader('<f4', '(250000,)'), 1_000_000);
  const packed = { name: 'a.npy', bytes: zeros, deflate: true };
  const compressed = new Uint8Array(deflateRawSync(zeros));
  /** A deflated entry whose compressed bytes are `data`, said to unpack to `zeros`. */
  const lying = (data: Uint8Array): TestEntry => {
    const truth = { method: 8, size: zeros.length, compressedSize: data.length, crc: crc32(zeros) };
    return { name: 'a.npy', bytes: data, local: truth, central: truth };
  };

  it('of stored and of deflated arrays open', async () => {
    for (const entry of [good, { ...good, deflate: true }, packed, lying(compressed)]) {
      expect((await openNumpy(zipOf([entry]))).names).toEqual(['a']);
    }
    expect((await (await openNumpy(zipOf([lying(compressed)]))).bytes('a')).length).toBe(1_000_000);
  });

  it.each<[string, NumpyFileErrorCode, Uint8Array]>([
    ['nothing in it', 'NotNumpy', zipOf([])],
    ['no array in it', 'NotNumpy', zipOf([{ ...good, name: 'a.txt' }])],
    ['objects only', 'NotNumpy', zipOf([{ name: 'a.npy', bytes: npyOf(npyHeader('|O', '(2,)'), 8) }])],
    ['an array that is none', 'NotNumpy', zipOf([{ name: 'a.npy', bytes: latin1('hello') }])],
    ['an array that is cut short', 'InvalidSize', zipOf([{ name: 'a.npy', bytes: npyOf(F4, 7) }])],
    ['a wrong checksum', 'ChecksumMismatch', zipOf([{ ...good, local: { crc: 1 }, central: { crc: 1 } }])],
    [
      'a wrong checksum of a deflated array',
      'ChecksumMismatch',
      zipOf([{ ...packed, local: { crc: 1 }, central: { crc: 1 } }]),
    ],
    ['another name in the entry', 'HeaderMismatch', zipOf([{ ...good, local: { name: 'b.npy' } }])],
    ['a path upwards', 'UnsafeName', zipOf([good, { ...good, name: '../a.npy' }])],
    ['two arrays of one name', 'InvalidZip', zipOf([good, good])],
    ['arrays that overlap', 'InvalidZip', zipOf([good, { ...good, name: 'b.npy', central: { offset: 10 } }])],
    ['bytes in front', 'InvalidZip', zipOf([good], { prefix: latin1('PK') })],
    ['bytes that are not compressed', 'InvalidZip', zipOf([lying(zeros.subarray(0, 1000))])],
    ['compressed bytes that end early', 'InvalidZip', zipOf([lying(compressed.subarray(0, compressed.length - 9))])],
    ['compressed bytes that end at once', 'InvalidZip', zipOf([lying(new Uint8Array(0))])],
    [
      'fewer bytes than claimed',
      'InvalidZip',
      zipOf([lying(new Uint8Array(deflateRawSync(zeros.subarray(0, 999_999))))]),
    ],
    ['more bytes than claimed', 'InvalidZip', zipOf([lying(new Uint8Array(deflateRawSync(joined(zeros, zeros))))])],
  ])('with %s: %s', async (_, code, bytes) => {
    const error = await refusal(bytes);
    expect(error.code, error.message).toBe(code);
  });

  it('a bomb is refused by what it claims', async () => {
    const size = 128 * 2 ** 20;
    const claims = { size, compressedSize: compressed.length, method: 8 };
    const bomb = zipOf([{ name: 'a.npy', bytes: compressed, local: claims, central: claims }]);
    const error = await refusal(bomb);
    expect(error.code).toBe('TooLarge');
    expect(error.message).toMatch(/zip bomb.*np\.savez\(path/);
    // Each below the limit, together above.
    const part = { ...claims, size: 40 * 2 ** 20 };
    const parts = ['a.npy', 'b.npy'].map((name) => ({ name, bytes: compressed, local: part, central: part }));
    expect((await refusal(zipOf(parts))).code).toBe('TooLarge');
  });

  it('a bomb that claims little is stopped where its claim ends', async () => {
    // 256 MiB of zeros behind the header of a small array.
    const header = npyOf(npyHeader('<f4', '(250000,)'), 0);
    const bomb = new Uint8Array(deflateRawSync(joined(header, new Uint8Array(256 * 2 ** 20)), { level: 1 }));
    const file = await openNumpy(zipOf([lying(bomb)]));
    const before = process.memoryUsage().arrayBuffers;
    const error = await rejection(file.bytes('a'), NumpyFileError);
    expect(error.message).toMatch(/more bytes than/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  });
});
