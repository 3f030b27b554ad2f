import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors.ts';
import { fixture } from '../testing/fixtures.ts';
import { problemOf } from '../testing/thrown.ts';
import { readMatStructs } from './readStructs.ts';

const read = (bytes: Uint8Array) => readMatStructs(bytes, 'synsets', { source: 'meta.mat' });

/** A data element with its padding; sizes up to four go into the tag, as MATLAB writes them. */
function element(type: number, data: readonly number[], little: boolean): number[] {
  const word = (value: number) => {
    const bytes = [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
    return little ? bytes : bytes.reverse();
  };
  if (data.length > 0 && data.length <= 4) {
    return [...word((data.length << 16) | type), ...data, ...new Array(4 - data.length).fill(0)];
  }
  return [...word(type), ...word(data.length), ...data, ...new Array((8 - (data.length % 8)) % 8).fill(0)];
}

/** A file as MATLAB writes it on a machine of either byte order: a struct with a double that is stored as a byte, and a text. */
function matlabFile(little: boolean): Uint8Array {
  const word = (value: number) => (little ? [value, 0, 0, 0] : [0, 0, 0, value]);
  const half = (value: number) => (little ? [value, 0] : [0, value]);
  const text = (value: string) => Array.from(value, (letter) => letter.charCodeAt(0));
  const array = (kind: number, sizes: readonly number[], name: string, rest: readonly number[]) =>
    element(
      14,
      [
        ...element(6, [...word(kind), ...word(0)], little),
        ...element(5, sizes.flatMap(word), little),
        ...element(1, text(name), little),
        ...rest,
      ],
      little,
    );
  const fields = ['id', 'word'].flatMap((name) => text(name.padEnd(8, '\0')));
  const struct = array(2, [1, 1], 'synsets', [
    ...element(5, word(8), little),
    ...element(1, fields, little),
    ...array(6, [1, 1], '', element(2, [200], little)),
    ...array(4, [1, 5], '', element(4, text('tench').flatMap(half), little)),
  ]);
  const header = [...text('MATLAB 5.0 MAT-file'.padEnd(116)), ...new Array(8).fill(0)];
  return Uint8Array.from([...header, ...(little ? [0, 1, 0x49, 0x4d] : [1, 0, 0x4d, 0x49]), ...struct]);
}

describe('readMatStructs', () => {
  it.each(['meta.mat', 'meta_plain.mat'])('reads %s, which scipy wrote', async (name) => {
    const structs = await read(await fixture(name));
    expect(
      structs.map((struct) => [struct.get('ILSVRC2012_ID'), struct.get('WNID'), struct.get('num_children')]),
    ).toEqual([
      [[1], 'n02119789', [0]],
      [[2], 'n02100735', [0]],
      [[3], 'n02110185', [0]],
      [[4], 'n02096294', [0]],
      [[1001], 'n02083346', [2]],
      [[1002], 'n02084071', [3]],
    ]);
    expect(structs[5]?.get('words')).toBe('dog, domestic dog, Canis familiaris');
    expect(structs[5]?.get('children')).toEqual([2, 3, 4]);
    expect(structs[0]?.get('children')).toEqual([]);
  });

  it.each([true, false])('reads what MATLAB writes (little-endian: %s)', async (little) => {
    expect(await read(matlabFile(little))).toEqual([
      new Map<string, unknown>([
        ['id', [200]],
        ['word', 'tench'],
      ]),
    ]);
  });

  it('refuses files that are none, and variables that are not there', async () => {
    expect((await problemOf(() => read(new Uint8Array(0)))).code).toBe('annotation');
    expect((await problemOf(() => read(new Uint8Array(4096)))).expected).toBe('a MATLAB file of version 5');
    const other = readMatStructs(await fixture('meta.mat'), 'classes', { source: 'meta.mat' });
    expect((await problemOf(() => other)).expected).toContain('classes');
  });

  it('unpacks no more than allowed', async () => {
    const bytes = await fixture('meta.mat');
    const problem = await problemOf(() => readMatStructs(bytes, 'synsets', { source: 'meta.mat', maxBytes: 100 }));
    expect(problem.expected).toBe('at most 100 bytes when unpacked');
  });

  it.each(['meta.mat', 'meta_plain.mat'])('answers any damage to %s with structs or a DatasetError', async (name) => {
    const bytes = await fixture(name);
    const damage = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255), fc.integer({ min: 0, max: bytes.length }));
    await fc.assert(
      fc.asyncProperty(damage, async ([at, value, length]) => {
        const copy = bytes.slice(0, length);
        copy[at] = value;
        await read(copy).catch((error: unknown) => expect(error).toBeInstanceOf(DatasetError));
      }),
      { numRuns: 300 },
    );
  });
});
