import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemOf } from '../testing/thrown.ts';
import { blobFiles } from './blobFiles.ts';
import type { Files } from './files.ts';
import { nodeFiles } from './nodeFiles.ts';
import { insideRoot } from './paths.ts';

const CONTENT = { 'b.txt': 'bee', 'folder/z.txt': 'zed', 'folder/A.txt': 'ay', 'folder/deep/er.txt': 'deeper' };

let root: string;
let outside: string;
beforeAll(async () => {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'saccade-files-')));
  [root, outside] = [join(top, 'root'), join(top, 'outside')];
  await mkdir(join(root, 'folder/deep'), { recursive: true });
  await mkdir(outside);
  await writeFile(join(outside, 'secret.txt'), 'secret');
  for (const [path, text] of Object.entries(CONTENT)) await writeFile(join(root, path), text);
});
afterAll(() => rm(join(root, '..'), { recursive: true }));

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe.each<[string, () => Promise<Files>]>([
  ['nodeFiles', () => nodeFiles(root)],
  ['blobFiles', async () => blobFiles(Object.entries(CONTENT).map(([path, value]) => [path, new Blob([value])]))],
])('%s', (_, open) => {
  it('lists folders in the order of names', async () => {
    const files = await open();
    expect(await files.list('')).toEqual([
      { name: 'b.txt', kind: 'file' },
      { name: 'folder', kind: 'folder' },
    ]);
    expect((await files.list('folder')).map(({ name }) => name)).toEqual(['A.txt', 'deep', 'z.txt']);
    expect(await problemOf(() => files.list('none'))).toMatchObject({ code: 'missing' });
  });

  it('tells what is there', async () => {
    const files = await open();
    expect(await files.stat('folder/deep/er.txt')).toEqual({ kind: 'file', size: 6 });
    expect(await files.stat('folder/./deep//')).toEqual({ kind: 'folder', size: 0 });
    expect(await files.stat('folder/none')).toBeUndefined();
    expect(await files.stat('b.txt/none')).toBeUndefined();
  });

  it('reads files, whole and in parts', async () => {
    const files = await open();
    expect(text(await files.read('folder/z.txt'))).toBe('zed');
    const file = await files.open('folder/deep/er.txt');
    expect(file.size).toBe(6);
    expect(text(await file.read(2, 5))).toBe('epe');
    await file.close();
    for (const read of [files.read, files.open]) {
      expect(await problemOf(() => read('folder/none'))).toMatchObject({ code: 'missing', argument: 'folder/none' });
    }
  });

  it('takes no more into memory than allowed', async () => {
    const files = await open();
    expect(await problemOf(() => files.read('b.txt', { maxBytes: 2 }))).toMatchObject({ actual: '3 bytes' });
    await expect(files.read('b.txt', { signal: AbortSignal.abort('no') })).rejects.toBe('no');
  });

  it.each(['../outside/secret.txt', '/etc/passwd', 'folder/../../outside/secret.txt', 'C:\\x', '..\\x', 'a\0b'])(
    'refuses %j',
    async (path) => {
      const files = await open();
      for (const action of [files.list, files.stat, files.read, files.open]) {
        expect((await problemOf(() => action(path))).code).toBe('path');
      }
    },
  );
});

describe('nodeFiles with symbolic links', () => {
  it('follows those that stay below the root, and refuses those that leave it', async () => {
    await symlink(join(root, 'b.txt'), join(root, 'folder/inner'));
    await symlink(outside, join(root, 'link'));
    await symlink(join(root, 'nowhere'), join(root, 'broken'));
    const files = await nodeFiles(root);
    expect(text(await files.read('folder/inner'))).toBe('bee');
    for (const action of [files.read, files.open, files.stat, files.list]) {
      expect(await problemOf(() => action('link/secret.txt'))).toMatchObject({
        code: 'path',
        argument: 'link/secret.txt',
      });
    }
    expect((await files.list('')).find(({ name }) => name === 'link')?.kind).toBe('folder');
    expect((await problemOf(() => files.read('broken'))).code).toBe('missing');
    const allowed = await nodeFiles(root, { linkTargets: [outside] });
    expect(text(await allowed.read('link/secret.txt'))).toBe('secret');
    expect((await problemOf(() => allowed.read('../outside/secret.txt'))).code).toBe('path');
  });

  it('refuses a root that is none, and a folder in place of a file', async () => {
    expect((await problemOf(() => nodeFiles(join(root, 'none')))).code).toBe('missing');
    expect((await problemOf(() => nodeFiles(join(root, 'b.txt')))).code).toBe('missing');
    const files = await nodeFiles(root);
    expect((await problemOf(() => files.read('folder'))).code).toBe('missing');
    expect((await problemOf(() => files.open('folder'))).code).toBe('missing');
  });
});

describe('insideRoot', () => {
  it('gives a path without dots, or refuses', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '..', '.', '', 'b c', '...'), { minLength: 1 }), (parts) => {
        const path = parts.join('/');
        if (parts.includes('..') || path.startsWith('/')) expect(() => insideRoot(path)).toThrow('below the root');
        else expect(insideRoot(path)).toBe(parts.filter((part) => part !== '' && part !== '.').join('/'));
      }),
    );
  });
});
