import { existsSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { byteSource, readExactly } from '../../source/byteSource.ts';
import { SourceError } from '../../source/errors.ts';
import { rejection } from '../../testing/rejection.ts';
import { FetchWeightsError } from '../errors.ts';
import type { FetchWeightsOptions } from '../options.ts';
import { weightsId } from '../reference.ts';
import { codeOf, contentOf, sha256Of } from '../testing/fetching.ts';
import { pattern, type ServedFile, serveFile, TestServer } from '../testing/server.ts';
import { fetchWeights } from './fetchWeights.ts';
import { type FileCacheOptions, fileCache } from './fileCache.ts';
import { onDisk } from './ioErrors.ts';

const BYTES = pattern(100_000);
const SHA256 = sha256Of(BYTES);
const DAY_MS = 24 * 3_600_000;

let root: string;
let directory: string;
let file: ServedFile;
let server: TestServer;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weights-'));
  directory = join(root, 'cache');
  file = { bytes: BYTES, etag: '"v1"' };
  server = await TestServer.start((request, response) => serveFile(file)(request, response));
});

afterEach(async () => {
  await server.close();
  await rm(root, { recursive: true });
});

const cacheOf = (options: FileCacheOptions = {}) => fileCache({ directory, ...options });
const fetch = (path = '/model.bin', options: FetchWeightsOptions = {}) =>
  fetchWeights(server.origin + path, { cache: cacheOf(), backoffMs: 1, onProgress: server.delivered, ...options });
const entryOf = (path = '/model.bin') => join(directory, 'entries', `${weightsId(server.origin + path)}.json`);
const inFolder = (name: string) => readdir(join(directory, name));

/** Leaves a partial file of 40 000 bytes behind. */
async function cutDownload(path?: string) {
  file.next = [{ cut: 40_000 }];
  expect(await codeOf(fetch(path, { retries: 0 }))).toBe('Network');
  expect(await inFolder('partial')).toHaveLength(2);
}

async function editPartial(name: RegExp, edit: (path: string) => Promise<void>) {
  for (const found of await inFolder('partial')) if (name.test(found)) await edit(join(directory, 'partial', found));
}

describe('a file on disk', () => {
  it('has a name that nothing in the URL can lead astray', async () => {
    const weights = await fetch('/..%2f..%2fetc/passwd%00?token=secret');
    expect(weights.path).toBe(join(directory, 'files', SHA256));
    expect(sha256Of(await readFile(weights.path ?? ''))).toBe(SHA256);
    expect(await inFolder('partial')).toEqual([]);
    const names = [...(await inFolder('entries')), ...(await inFolder('files'))];
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{64}(\.json)?$/);
    const entry = await readFile(join(directory, 'entries', names[0] ?? ''), 'utf8');
    expect(entry).not.toContain('secret');
    expect(JSON.parse(entry)).toMatchObject({ format: 1, sha256: SHA256, size: 100_000, etag: '"v1"' });
  });

  it('is read in pieces, and reports that it was removed or replaced', async () => {
    const { source, path = '' } = await fetch();
    expect(await readExactly(byteSource(source), 500, 700)).toEqual(BYTES.slice(500, 700));
    await appendFile(path, 'x');
    expect((await rejection(readExactly(byteSource(source), 0, 1), SourceError)).code).toBe('Changed');
    await rm(path);
    expect((await rejection(readExactly(byteSource(source), 0, 1), SourceError)).code).toBe('IoError');
  });

  it('is stored once for all URLs with the same content, until the last is removed', async () => {
    await fetch('/a');
    const { path = '' } = await fetch('/b');
    expect(await inFolder('files')).toHaveLength(1);
    const cache = cacheOf();
    expect((await cache.list()).map(({ url }) => url)).toEqual([`${server.origin}/b`, `${server.origin}/a`]);
    expect(await cache.delete(weightsId(`${server.origin}/a`))).toBe(true);
    expect(existsSync(path)).toBe(true);
    await cache.delete(weightsId(`${server.origin}/b`));
    expect(existsSync(path)).toBe(false);
  });

  it('makes room for others', async () => {
    const cache = cacheOf({ maxBytes: 250_000 });
    for (const [path, seed] of Object.entries({ '/a': 1, '/b': 2, '/c': 3 })) {
      file.bytes = pattern(100_000, seed);
      await fetch(path, { cache });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await cache.list()).map(({ url }) => url)).toEqual([`${server.origin}/c`, `${server.origin}/b`]);
    expect(await inFolder('files')).toHaveLength(2);
  });

  it.each<[string, string | Uint8Array]>([
    ['empty', ''],
    ['not JSON', '{"format": 1,'],
    ['no object', '[1]'],
    ['null', 'null'],
    ['of another version', '{"format": 2}'],
    ['without a size', JSON.stringify({ format: 1, url: 'x', sha256: SHA256, storedAt: '2026-01-01' })],
    ['with a size that is none', JSON.stringify({ format: 1, url: 'x', sha256: SHA256, size: -1, storedAt: '2026' })],
    [
      'with a path for a hash',
      JSON.stringify({ format: 1, url: 'x', sha256: '../../x', size: 6, storedAt: '2026-01-01' }),
    ],
    ['without a date', JSON.stringify({ format: 1, url: 'x', sha256: SHA256, size: 100_000, storedAt: 'today' })],
    ['of no text', pattern(500)],
    ['very large', `{"format": 1, "url": "${'x'.repeat(100_000)}"}`],
  ])('whose description is %s is not there, and fetched again', async (_, content) => {
    await fetch();
    await writeFile(join(root, 'x'), 'secret');
    await writeFile(entryOf(), content);
    const cache = cacheOf();
    expect(await cache.get(weightsId(server.url))).toBeUndefined();
    expect(await cache.list()).toEqual([]);
    expect(await codeOf(fetch('/model.bin', { offline: true }))).toBe('Offline');
    expect(await contentOf(await fetch())).toBe(SHA256);
    expect(server.seen).toHaveLength(2);
    expect(await cache.list()).toHaveLength(1);
  });

  it.each(['shorter', 'gone', 'a folder'])('that is %s is fetched again', async (state) => {
    const { path = '' } = await fetch();
    if (state === 'shorter') await truncate(path, 99_999);
    else await rm(path);
    if (state === 'a folder') await mkdir(path);
    if (state === 'a folder') expect(await codeOf(fetch())).toBe('CacheIo');
    else expect(await contentOf(await fetch())).toBe(SHA256);
    expect(server.seen).toHaveLength(2);
  });

  it('that was damaged is fetched again by those who verify', async () => {
    const { path = '' } = await fetch();
    await writeFile(path, pattern(100_000, 1));
    expect(await fetch()).toMatchObject({ fromCache: true });
    const repaired = await fetch('/model.bin', { verifyCached: true });
    expect(repaired.fromCache).toBe(false);
    expect(await contentOf(repaired)).toBe(SHA256);
    expect(await fetch('/model.bin', { verifyCached: true })).toMatchObject({ fromCache: true });
  });
});

describe('a cut download on disk', () => {
  it('is taken up by the next call', async () => {
    await cutDownload();
    expect(await contentOf(await fetch())).toBe(SHA256);
    expect(server.starts).toEqual([0, 40_000]);
    expect(await inFolder('partial')).toEqual([]);
  });

  it('outlives the page of a network that wants a login', async () => {
    await cutDownload();
    file = { bytes: new TextEncoder().encode('<html>Welcome!</html>'), headers: { 'content-type': 'text/html' } };
    expect(await codeOf(fetch())).toBe('NotWeights');
    file = { bytes: BYTES, etag: '"v1"' };
    expect(await contentOf(await fetch())).toBe(SHA256);
    expect(server.starts).toEqual([0, 40_000, 40_000]);
  });

  it('that was complete needs no request', async () => {
    await cutDownload();
    await editPartial(/part$/, (path) => appendFile(path, BYTES.subarray(40_000)));
    expect(await contentOf(await fetch())).toBe(SHA256);
    expect(server.seen).toHaveLength(1);
  });

  it('that was damaged is found out by the hash and fetched anew', async () => {
    await cutDownload();
    await editPartial(/part$/, (path) => writeFile(path, pattern(40_000, 1)));
    expect(await contentOf(await fetch('/model.bin', { sha256: SHA256 }))).toBe(SHA256);
    expect(server.starts).toEqual([0, 40_000, 0]);
  });

  it.each<[string, RegExp, (path: string) => Promise<void>]>([
    ['longer than the file', /part$/, (path) => appendFile(path, pattern(90_000))],
    ['empty', /part$/, (path) => truncate(path, 0)],
    ['without description', /json$/, (path) => rm(path)],
    ['with a broken description', /json$/, (path) => writeFile(path, '{"version":')],
    [
      'with a description of nothing',
      /json$/,
      (path) => writeFile(path, '{"version": 7, "synced": true, "startedAt": 0}'),
    ],
    [
      'only in the memory of a computer that was restarted since',
      /json$/,
      async (path) => {
        const note = JSON.parse(await readFile(path, 'utf8'));
        await writeFile(path, JSON.stringify({ ...note, synced: false, startedAt: note.startedAt - DAY_MS }));
      },
    ],
    [
      'a link to somewhere',
      /part$/,
      async (path) => {
        await rm(path);
        await writeFile(join(root, 'precious'), BYTES.subarray(0, 40_000));
        await symlink(join(root, 'precious'), path);
      },
    ],
  ])('that is %s is fetched anew', async (_, name, damage) => {
    await cutDownload();
    await editPartial(name, damage);
    expect(await contentOf(await fetch())).toBe(SHA256);
    expect(server.starts).toEqual([0, 0]);
    expect(await inFolder('partial')).toEqual([]);
    if (existsSync(join(root, 'precious'))) {
      expect(await readFile(join(root, 'precious'))).toHaveLength(40_000);
    }
  });

  it('on the disk itself outlives a restart of the computer', async () => {
    await cutDownload();
    await editPartial(/json$/, async (path) => {
      const note = JSON.parse(await readFile(path, 'utf8'));
      expect(note.synced).toBe(true);
      await writeFile(path, JSON.stringify({ ...note, startedAt: note.startedAt - DAY_MS }));
    });
    await fetch();
    expect(server.starts).toEqual([0, 40_000]);
  });

  it('is left alone by other downloads for a week', async () => {
    await cutDownload('/forgotten');
    const age = async (days: number) => {
      const time = new Date(Date.now() - days * DAY_MS);
      await editPartial(/./, (path) => utimes(path, time, time));
    };
    await age(6);
    await fetch('/a');
    expect(await inFolder('partial')).toHaveLength(2);
    await age(8);
    await fetch('/b');
    expect(await inFolder('partial')).toEqual([]);
  });

  it('is removed with its file, and by clear', async () => {
    await cutDownload();
    expect(await cacheOf().delete(weightsId(server.url))).toBe(false);
    expect(await inFolder('partial')).toEqual([]);
    await cutDownload();
    await cacheOf().clear();
    expect(await inFolder('partial')).toEqual([]);
  });
});

describe('the folder', () => {
  it('is tidied up of what crashes left, not of what is being placed', async () => {
    await fetch();
    const hash = (digit: string) => digit.repeat(64);
    const old = new Date(Date.now() - 2 * 3_600_000);
    const orphans = [
      ['files', hash('a'), old],
      ['files', hash('b'), new Date()],
      ['entries', `${hash('c')}.${'0'.repeat(32)}.tmp`, old],
      ['entries', `${hash('d')}.${'0'.repeat(32)}.tmp`, new Date()],
    ] as const;
    for (const [folder, name, time] of orphans) {
      await writeFile(join(directory, folder, name), 'x');
      await utimes(join(directory, folder, name), time, time);
    }
    await fetch('/another');
    expect((await inFolder('files')).sort()).toEqual([SHA256, hash('b')].sort());
    expect((await inFolder('entries')).filter((name) => name.endsWith('.tmp'))).toEqual([
      `${hash('d')}.${'0'.repeat(32)}.tmp`,
    ]);
  });

  it('keeps what is not ours', async () => {
    await fetch();
    const foreign = ['notes.txt', 'entries/readme', 'files/model.pth', 'partial/x.part'];
    for (const name of foreign) await writeFile(join(directory, name), 'mine');
    await cacheOf().clear();
    for (const name of foreign) expect(await readFile(join(directory, name), 'utf8')).toBe('mine');
    expect(await inFolder('files')).toEqual(['model.pth']);
  });

  it('that cannot be made is an error that names it', async () => {
    await writeFile(join(root, 'file'), '');
    const cache = cacheOf({ directory: join(root, 'file', 'cache') });
    const { code, message } = await rejection(fetch('/x', { cache }), FetchWeightsError);
    expect(code).toBe('CacheIo');
    expect(message).toContain(join(root, 'file', 'cache'));
    expect(server.seen).toEqual([]);
  });

  it('on a disk without space for the file says so at once', async () => {
    const announced = 2 ** 52;
    file.next = [{ announce: announced }];
    const { code, message } = await rejection(fetch('/x', { maxBytes: 2 ** 53 }), FetchWeightsError);
    expect(code).toBe('NoSpace');
    expect(message).toContain(directory);
    expect(server.seen).toHaveLength(1);
  });

  it.runIf(existsSync('/dev/full'))('on a disk that is full is told from one that fails', async () => {
    expect(await codeOf(onDisk('here', () => writeFile('/dev/full', 'x')))).toBe('NoSpace');
    expect(await codeOf(onDisk('here', () => readFile('/no/such/file')))).toBe('CacheIo');
    const reason = new Error('enough');
    await expect(onDisk('here', () => Promise.reject(reason))).rejects.toBe(reason);
  });

  it('limits are checked', () => {
    expect(() => fileCache({ maxBytes: -1 })).toThrow(FetchWeightsError);
    expect(() => fileCache({ maxBytes: Number.NaN })).toThrow(FetchWeightsError);
  });
});
