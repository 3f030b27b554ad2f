import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Folder } from '../testing/cli.ts';
import { writeAtomically } from './atomicWrite.ts';
import { UsageError } from './failure.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const signal = new AbortController().signal;

describe('writeAtomically', () => {
  it('writes all pieces, and says how many bytes they had', async () => {
    await using folder = await Folder.make();
    const path = await folder.file('out');
    const seen: number[] = [];
    const length = await writeAtomically(path, [bytes(1, 2), bytes(), bytes(3)], {
      replace: false,
      signal,
      onProgress: (done) => seen.push(done),
    });
    expect(length).toBe(3);
    expect(seen).toEqual([2, 3]);
    expect(new Uint8Array(await readFile(path))).toEqual(bytes(1, 2, 3));
    expect(await folder.names()).toEqual(['out']);
  });

  it('leaves what was there until the new file is complete', async () => {
    await using folder = await Folder.make();
    const path = await folder.file('out', bytes(9));
    await expect(writeAtomically(path, [bytes(1)], { replace: false, signal })).rejects.toThrow(UsageError);
    async function* watching() {
      yield bytes(1);
      expect(new Uint8Array(await readFile(path))).toEqual(bytes(9));
      expect(await folder.names()).toEqual([expect.stringMatching(/^\.out\.[0-9a-f]{12}\.partial$/), 'out']);
    }
    await writeAtomically(path, watching(), { replace: true, signal });
    expect(new Uint8Array(await readFile(path))).toEqual(bytes(1));
  });

  it('leaves nothing behind when pieces fail, or when it is interrupted', async () => {
    await using folder = await Folder.make();
    const path = await folder.file('out', bytes(9));
    async function* failing() {
      yield bytes(1);
      throw new Error('unreadable');
    }
    await expect(writeAtomically(path, failing(), { replace: true, signal })).rejects.toThrow('unreadable');
    const controller = new AbortController();
    async function* interrupted() {
      yield bytes(1);
      controller.abort(new Error('enough'));
      yield bytes(2);
    }
    const writing = writeAtomically(path, interrupted(), { replace: true, signal: controller.signal });
    await expect(writing).rejects.toThrow('enough');
    expect(await folder.names()).toEqual(['out']);
    expect(new Uint8Array(await readFile(path))).toEqual(bytes(9));
  });

  it('says what is wrong with a path before it begins', async () => {
    await using folder = await Folder.make();
    const options = { replace: true, signal };
    await expect(writeAtomically(folder.path, [], options)).rejects.toThrow(/is a folder\. Name a file in it/);
    await expect(writeAtomically(`${folder.path}/no/out`, [], options)).rejects.toThrow(/there is no folder .*no\./);
  });
});
