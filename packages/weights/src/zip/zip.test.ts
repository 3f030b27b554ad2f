import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runOnBytes } from '../source/reading.ts';
import { latin1 } from '../testing/bytes.ts';
import { joined, type TestArchive, type TestEntry, zipOf } from '../testing/zipBuilder.ts';
import { crc32 } from './crc32.ts';
import { readZipDirectory } from './directory.ts';
import { locateEntry, verifyStored } from './entry.ts';
import { ZipError, type ZipErrorCode } from './errors.ts';
import { writeZip } from './writeZip.ts';

/** The files of an archive, after every check. */
function contents(archive: Uint8Array): Map<string, Uint8Array> {
  const directory = runOnBytes(readZipDirectory(archive.length), archive);
  return new Map(
    [...directory].map(([name, entry]) => {
      const start = runOnBytes(locateEntry(entry), archive);
      if (entry.method === 0) runOnBytes(verifyStored(entry), archive);
      return [name, archive.slice(start, start + entry.compressedSize)];
    }),
  );
}

function codeOf(archive: Uint8Array): ZipErrorCode | 'opened' {
  try {
    contents(archive);
    return 'opened';
  } catch (error) {
    if (error instanceof ZipError) return error.code;
    throw error;
  }
}

const A: TestEntry = { name: 'x/a', bytes: latin1('first') };
const B: TestEntry = { name: 'x/b', bytes: latin1('second') };
const uint64s = (id: number, ...values: number[]): Uint8Array => {
  const out = new DataView(new ArrayBuffer(4 + 8 * values.length));
  out.setUint16(0, id, true);
  out.setUint16(2, 8 * values.length, true);
  for (const [i, value] of values.entries()) out.setBigUint64(4 + 8 * i, BigInt(value), true);
  return new Uint8Array(out.buffer);
};

describe('crc32', () => {
  it('is the remainder that the standard names', () => {
    expect(crc32(latin1('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it.skipIf(zlibCrc32 === undefined)('agrees with zlib, whole and in pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 100 }), (bytes, cut) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
        expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(zlibCrc32(bytes));
      }),
    );
  });
});

describe('a zip archive', () => {
  it.each<[string, readonly TestEntry[], TestArchive?]>([
    ['plain', [A, B]],
    ['of an empty file', [{ name: 'x/empty' }]],
    ['with a comment', [A, B], { comment: latin1('a comment') }],
    ['with a 64-bit end record', [A, B], { wide: {} }],
    [
      'with a 64-bit end record that is needed',
      [A, B],
      { wide: {}, end: { count: 0xffff, start: 0xffffffff, length: 0xffffffff } },
    ],
    ['with extra fields', [{ ...A, extra: uint64s(0x4246, 1, 2, 3) }, B]],
    ['with very long extra fields', [{ ...A, extra: uint64s(0x4246, ...Array(50).fill(7)) }, B]],
    ['with sizes behind the data', [{ ...A, flags: 8, local: { size: 0, compressedSize: 0, crc: 0 }, gap: 16 }, B]],
    [
      'with 64-bit sizes',
      [
        {
          ...A,
          extra: uint64s(1, 5, 5),
          local: { size: 0xffffffff, compressedSize: 0xffffffff },
          central: { size: 0xffffffff, compressedSize: 0xffffffff, offset: 0xffffffff, extra: uint64s(1, 5, 5, 0) },
        },
        B,
      ],
    ],
    ['with a folder', [{ name: 'x/' }, A, B]],
    ['with a name in UTF-8', [{ ...A, name: 'x/ä', flags: 0x800 }, B]],
    ['without checksums', [{ ...A, local: { crc: 0 }, central: { crc: 0 } }, B]],
  ])('%s opens', (_, entries, archive) => {
    const files = contents(zipOf(entries, archive));
    const expected = entries.filter(({ name }) => !(name as string).endsWith('/'));
    expect([...files.keys()]).toEqual(expected.map(({ name }) => name));
    for (const { name, bytes } of expected) expect(files.get(name as string)).toEqual(bytes ?? new Uint8Array(0));
  });

  it('lists compressed files, and leaves what to do with them to others', () => {
    const bytes = new Uint8Array(1000);
    const archive = zipOf([{ name: 'zeros', bytes, deflate: true }]);
    const entry = runOnBytes(readZipDirectory(archive.length), archive).get('zeros')!;
    expect([entry.method, entry.size]).toEqual([8, 1000]);
    expect(() => runOnBytes(verifyStored(entry), archive)).toThrow(ZipError);
  });

  it.each<[string, ZipErrorCode, readonly TestEntry[], TestArchive?]>([
    // The tricks of picklescan's tests: the directory shows a harmless file, the entry itself is another.
    ['another name in the entry itself', 'HeaderMismatch', [{ ...A, local: { name: 'x/z' } }, B]],
    ['a longer name in the entry itself', 'HeaderMismatch', [{ ...A, local: { name: 'x/aa' }, gap: 9 }, B]],
    ['another flag in the entry itself (0x1)', 'HeaderMismatch', [{ ...A, local: { flags: 1 } }, B]],
    ['another method in the entry itself', 'HeaderMismatch', [{ ...A, local: { method: 8 } }, B]],
    ['another size in the entry itself', 'HeaderMismatch', [{ ...A, local: { size: 4 } }, B]],
    ['another compressed size in the entry itself', 'HeaderMismatch', [{ ...A, local: { compressedSize: 4 } }, B]],
    ['another checksum in the entry itself', 'HeaderMismatch', [{ ...A, local: { crc: 1 } }, B]],
    ['another size behind flag 3', 'HeaderMismatch', [{ ...A, flags: 8, local: { size: 4, compressedSize: 4 } }, B]],
    ['an offset into another entry', 'InvalidZip', [A, { ...B, central: { offset: 10 } }]],
    ['two entries on the same bytes', 'InvalidZip', [A, { ...B, central: { offset: 0 } }]],
    [
      'an offset to where no entry begins',
      'HeaderMismatch',
      [
        { ...A, gap: 10 },
        { ...B, gap: 3, central: { offset: 39 } },
      ],
    ],
    ['an entry over the directory', 'InvalidZip', [{ ...A, central: { size: 500, compressedSize: 500 } }]],
    ['an entry beyond the file', 'InvalidZip', [{ ...A, central: { offset: 0xfffffff0 } }]],
    ['a stored entry of another size', 'InvalidZip', [{ ...A, central: { size: 2 ** 31 } }, B]],
    [
      'extra fields that reach into the next entry',
      'InvalidZip',
      [
        {
          ...A,
          extra: uint64s(0x4246, 1),
          central: { size: 17, compressedSize: 17 },
          local: { size: 17, compressedSize: 17 },
        },
        B,
      ],
    ],
    ['the same name twice', 'InvalidZip', [A, A]],
    ['bytes in front', 'InvalidZip', [A, B], { prefix: latin1('#!/bin/sh\n') }],
    ['bytes behind', 'NotZip', [A, B], { suffix: latin1('x') }],
    [
      'a comment that contains an end',
      'InvalidZip',
      [A],
      { comment: joined(latin1('PK\x05\x06'), new Uint8Array(18)) },
    ],
    ['a wrong number of files', 'InvalidZip', [A, B], { end: { count: 1 } }],
    ['a directory that begins elsewhere', 'InvalidZip', [A, B], { end: { start: 0 } }],
    ['a directory of another length', 'InvalidZip', [A, B], { end: { length: 10 } }],
    ['a second directory in the 64-bit record', 'InvalidZip', [A, B], { wide: { count: 1 } }],
    // 49 bytes: the first entry of the directory. The 32-bit record leaves it out.
    [
      'a second directory in the 32-bit record',
      'InvalidZip',
      [A, B],
      { wide: {}, end: { count: 1, start: 77 + 49, length: 49 } },
    ],
    ['a 64-bit record elsewhere', 'InvalidZip', [A, B], { wide: { position: 0 } }],
    ['a 64-bit number of files', 'InvalidZip', [A, B], { wide: { count: 2 ** 50 }, end: { count: 0xffff } }],
    ['64-bit sizes that are missing', 'InvalidZip', [{ ...A, central: { size: 0xffffffff } }, B]],
    [
      '64-bit sizes twice',
      'InvalidZip',
      [{ ...A, central: { size: 0xffffffff, extra: joined(uint64s(1, 5), uint64s(1, 6)) } }, B],
    ],
    ['extra fields that are cut short', 'InvalidZip', [{ ...A, central: { extra: Uint8Array.of(1, 0, 200, 0) } }, B]],
    [
      'a size of 2^63',
      'InvalidZip',
      [{ ...A, central: { size: 0xffffffff, compressedSize: 0xffffffff, extra: uint64s(1, 2 ** 62, 2 ** 62) } }],
    ],
    ['encryption', 'UnsupportedZip', [{ ...A, flags: 1 }, B]],
    ['strong encryption', 'UnsupportedZip', [{ ...A, flags: 0x40 }, B]],
    ['method 12 (bzip2)', 'UnsupportedZip', [{ ...A, central: { method: 12 }, local: { method: 12 } }, B]],
    ['an entry on disk 3', 'UnsupportedZip', [{ ...A, central: { disk: 3 } }, B]],
    ['several disks', 'UnsupportedZip', [A, B], { end: { disk: 1 } }],
    ['an altered byte', 'ChecksumMismatch', [{ ...A, local: { crc: 7 }, central: { crc: 7 } }, B]],
    ...['../a', 'x/../a', '/a', 'x//a', './a', 'x/.', 'C:/a', 'C:a', 'x\\a', 'x\0a', 'x\na', 'x\u202ea', '', '/'].map(
      (name) =>
        [`the name ${JSON.stringify(name)}`, 'UnsafeName', [{ ...A, name }]] as [string, ZipErrorCode, TestEntry[]],
    ),
    ['a name that is not UTF-8', 'UnsafeName', [{ ...A, name: Uint8Array.of(0xff, 0x61) }]],
  ])('with %s: %s', (_, code, entries, archive) => {
    expect(codeOf(zipOf(entries, archive))).toBe(code);
  });

  it('cut anywhere is refused', () => {
    const archive = zipOf([A, B], { wide: {} });
    for (let length = 0; length < archive.length; length++) {
      expect(['NotZip', 'InvalidZip']).toContain(codeOf(archive.subarray(0, length)));
    }
  });

  it('with any damage opens as it was, or is refused', () => {
    const archive = zipOf([A, { ...B, deflate: true }], { wide: {}, comment: latin1('hello') });
    const before = contents(archive);
    const counts = { opened: 0, refused: 0 };
    for (let at = 0; at < archive.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = archive.slice();
        damaged[at]! ^= 1 << bit;
        const code = codeOf(damaged);
        counts[code === 'opened' ? 'opened' : 'refused']++;
        // Dates, versions and compressed data are not looked at here; names and stored bytes must be right.
        if (code === 'opened') expect(contents(damaged).get('x/a')).toEqual(before.get('x/a'));
      }
    }
    expect(counts.opened).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(1000);
  });
});

describe('writeZip', () => {
  it('writes what is read, aligned to 64 bytes', () => {
    const files = [
      { name: 'a/b', bytes: latin1('hello') },
      { name: 'a/empty', bytes: new Uint8Array(0) },
      { name: 'a/c', bytes: new Uint8Array(1000).fill(3) },
    ];
    const archive = writeZip(files);
    expect([...contents(archive)]).toEqual(files.map(({ name, bytes }) => [name, bytes]));
    for (const entry of runOnBytes(readZipDirectory(archive.length), archive).values()) {
      expect(runOnBytes(locateEntry(entry), archive) % 64).toBe(0);
    }
  });

  it('writes no files, too', () => {
    expect(contents(writeZip([])).size).toBe(0);
  });
});
