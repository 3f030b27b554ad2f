import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors.ts';
import { type ReadTarOptions, readTar } from './readTar.ts';
import { END, fixture, inChunks, joined, member } from './testing/tar.ts';

const MEMBERS = new Map<string, string>(
  Object.entries(JSON.parse(new TextDecoder().decode(fixture('members.json'))) as Record<string, string>),
);
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** What was read, and the error at which it ended. */
async function read(
  bytes: Uint8Array,
  { chunk = 1000, ...options }: Partial<ReadTarOptions> & { chunk?: number } = {},
) {
  const files: [string, string][] = [];
  try {
    for await (const { name, bytes: content } of readTar(inChunks(bytes, chunk), { name: 'a.tar', ...options })) {
      files.push([name, latin1(await content())]);
    }
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    return { files, error };
  }
  return { files, error: undefined };
}

const paxRecord = (key: string, value: string) => {
  const body = ` ${key}=${value}\n`;
  const length = (digits: number) => body.length + digits;
  const digits = String(length(1)).length === 1 ? 1 : String(length(2)).length === 2 ? 2 : 3;
  return `${length(digits)}${body}`;
};

describe('readTar', () => {
  it.each(['python-pax.tar', 'python-gnu.tar', 'gnu.tar', 'posix.tar', 'ustar.tar', 'v7.tar'])(
    'reads the files in %s, however its bytes arrive',
    async (name) => {
      const kept = [...MEMBERS].filter(([path]) =>
        name === 'v7.tar'
          ? path.length < 100 && /^[\x20-\x7e]+$/.test(path)
          : name !== 'ustar.tar' || /^[\x20-\x7e]+$/.test(path),
      );
      expect(kept.length).toBeGreaterThan(2);
      for (const chunk of [1, 511, 512, 4096, 1e6]) {
        expect(await read(fixture(name), { chunk })).toEqual({ files: kept, error: undefined });
      }
    },
  );

  it.each(['sparse-gnu.tar', 'sparse-posix.tar'])(
    'refuses the sparse file in %s, after all files before it',
    async (name) => {
      const { files, error } = await read(fixture(name));
      expect(files.map(([path]) => path)).toHaveLength(3);
      expect(error).toMatchObject({ code: 'tar', message: expect.stringMatching(/hole\.bin.*sparse/) });
    },
  );

  it('passes over what is not read', async () => {
    const names: string[] = [];
    for await (const { name, size, offset } of readTar(inChunks(fixture('gnu.tar'), 100), { name: 'a.tar' })) {
      names.push(`${name}`.slice(0, 20));
      expect(offset % 512).toBe(0);
      expect(size).toBe(MEMBERS.get(name)?.length);
    }
    expect(names).toHaveLength(MEMBERS.size);
  });

  it('ends the stream when the caller leaves, and when it fails', async () => {
    let ended = 0;
    async function* watched(bytes: Uint8Array) {
      try {
        yield* inChunks(bytes, 512);
      } finally {
        ended++;
      }
    }
    for await (const _ of readTar(watched(fixture('gnu.tar')), { name: 'a.tar' })) break;
    expect(ended).toBe(1);
    const damaged = fixture('gnu.tar').fill(7, 0, 40);
    await expect(readTar(watched(damaged), { name: 'a.tar' }).next()).rejects.toThrow(DatasetError);
    expect(ended).toBe(2);
  });

  it('reads sizes in binary, names of pax headers for all members, and sizes of pax headers', async () => {
    const binary = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3);
    const bytes = joined(
      member('a.txt', 'abc', { sizeField: binary }),
      member('pax', paxRecord('comment', 'for all'), { type: 'g' }),
      member('pax', paxRecord('size', '4') + paxRecord('path', 'long.txt'), { type: 'x' }),
      member('b.txt', 'abcd', { size: 0 }),
      member('c.txt', 'e'),
      END,
    );
    expect(await read(bytes)).toEqual({
      files: [
        ['a.txt', 'abc'],
        ['long.txt', 'abcd'],
        ['c.txt', 'e'],
      ],
      error: undefined,
    });
  });

  it.each([
    [
      'a header that is none',
      joined(member('a.txt', 'abc'), new Uint8Array(512).fill(65)),
      1,
      /checksum|a number at byte 148/,
    ],
    ['no end', member('a.txt', 'abc'), 1, /block of zeros/],
    ['half a header', joined(member('a.txt', 'abc'), END.subarray(0, 300)), 1, /block of zeros/],
    [
      'a cut file',
      joined(member('a.txt', 'abc'), member('b.txt', 'x'.repeat(900)).subarray(0, 1000)),
      1,
      /900 bytes of b\.txt, got 488/,
    ],
    ['cut padding', member('a.txt', 'abc').subarray(0, 600), 1, /509 more bytes of a\.txt and its padding, got 85/],
    [
      'a size beyond 2^53',
      joined(member('a.txt', 'abc', { sizeField: new Uint8Array(12).fill(0xff) }), END),
      0,
      /a number at byte 124/,
    ],
    [
      'a size that is none',
      joined(member('a.txt', 'abc', { sizeField: new TextEncoder().encode('99999999999') }), END),
      0,
      /a number at byte 124/,
    ],
    ['a bomb', joined(member('a.txt', 'abc', { size: 2 ** 32 }), END), 0, /at most 268435456 bytes, got 4294967296/],
    [
      'a bomb of a name',
      joined(member('a', 'abc', { type: 'L', size: 2 ** 32 }), END),
      0,
      /extended header \(L\) of at most/,
    ],
    [
      'a bomb of a pax size',
      joined(member('p', paxRecord('size', '99999999999999'), { type: 'x' }), member('a', ''), END),
      0,
      /at most 268435456/,
    ],
    [
      'a pax size that is none',
      joined(member('p', paxRecord('size', '-3'), { type: 'x' }), member('a', ''), END),
      0,
      /a size in bytes/,
    ],
    ['pax records that are none', joined(member('p', '99 a=b\n', { type: 'x' }), END), 0, /records/],
    ['pax records without length', joined(member('p', 'path=b\n', { type: 'x' }), END), 0, /records/],
    ['several volumes', joined(member('a', 'abc', { type: 'M' }), END), 0, /volume/],
    ['nothing at all', new Uint8Array(0), 0, /block of zeros/],
  ])('refuses %s, and gives what lies before', async (_, bytes, count, message) => {
    const { files, error } = await read(bytes, { chunk: 256 });
    expect(files).toHaveLength(count);
    expect(error?.code).toBe('tar');
    expect(error?.message).toMatch(message);
  });

  it('loses no file that lies before a cut, wherever it is', async () => {
    const whole = fixture('python-gnu.tar');
    const ends: number[] = [];
    for await (const { offset, size } of readTar(inChunks(whole, 512), { name: 'a.tar' })) ends.push(offset + size);
    const all = (await read(whole)).files;
    const lastBlocks = whole.byteLength - 1024;
    for (let length = 0; length < lastBlocks + 512; length += 97) {
      const { files, error } = await read(whole.subarray(0, length));
      expect(error?.code).toBe('tar');
      // The header of an empty file is all of it.
      expect(files).toEqual(all.slice(0, ends.filter((end) => end <= length).length));
    }
  });

  it('gives files or a typed error for damaged bytes, and takes no memory for what is claimed', async () => {
    const whole = fixture('posix.tar');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.byteLength - 1), fc.nat(255)), { maxLength: 20 }),
        async (changes) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          const { files } = await read(bytes, { chunk: 4096 });
          expect(files.length).toBeLessThanOrEqual(30);
        },
      ),
      { numRuns: 200 },
    );
  });
});
