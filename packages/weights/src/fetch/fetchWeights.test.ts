import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSafetensors } from '../safetensors/open.ts';
import { serializeSafetensors } from '../safetensors/serialize.ts';
import { rejection } from '../testing/rejection.ts';
import { memoryCache } from './browser/caches.ts';
import { LostRightError, type PartialWeights, type WeightsCache } from './cache.ts';
import { FetchWeightsError } from './errors.ts';
import { fileCache } from './node/fileCache.ts';
import type { FetchProgress, FetchWeightsOptions } from './options.ts';
import { fetchWeights } from './portable.ts';
import { weightsId } from './reference.ts';
import { codeOf, sha256Of } from './testing/fetching.ts';
import { pattern, type ServedFile, serveFile, TestServer } from './testing/server.ts';

const BYTES = pattern(100_000);
const SHA256 = sha256Of(BYTES);
const OTHER = pattern(100_000, 1);

let file: ServedFile;
let server: TestServer;
let cache: WeightsCache;

beforeEach(async () => {
  file = { bytes: BYTES, etag: '"v1"' };
  server = await TestServer.start((request, response) => serveFile(file)(request, response));
  cache = memoryCache();
});

afterEach(() => server.close());

const fetch = (options: FetchWeightsOptions = {}, path = '/model.bin') =>
  fetchWeights(server.origin + path, { cache, backoffMs: 1, onProgress: server.delivered, ...options });

function replaceFile(): void {
  file.bytes = OTHER;
  file.etag = '"v2"';
}

describe('a cached file', () => {
  it('is not asked for again', async () => {
    const first = await fetch();
    const second = await fetch();
    expect([first.fromCache, second.fromCache]).toEqual([false, true]);
    expect(second).toMatchObject({ sha256: SHA256, size: 100_000, etag: '"v1"', id: weightsId(server.url) });
    expect(second.usedAt.getTime()).toBeGreaterThanOrEqual(first.usedAt.getTime());
    expect(server.seen).toHaveLength(1);
  });

  it('goes to a reader as it is', async () => {
    const data = Float32Array.of(1, 2, 3);
    file.bytes = serializeSafetensors({ w: { dtype: 'float32', shape: [3], data } });
    const weights = await openSafetensors((await fetch()).source);
    expect((await weights.get('w')).data).toEqual(data);
  });

  it('of another content than expected is fetched, and replaced only by the right one', async () => {
    await fetch();
    expect(await codeOf(fetch({ sha256: sha256Of(OTHER) }))).toBe('HashMismatch');
    expect((await fetch()).sha256).toBe(SHA256);
    replaceFile();
    expect(await fetch({ sha256: sha256Of(OTHER) })).toMatchObject({ fromCache: false, etag: '"v2"' });
    expect((await fetch()).sha256).toBe(sha256Of(OTHER));
    expect(await cache.list()).toHaveLength(1);
  });

  it('of the expected content is taken from any URL', async () => {
    await fetch({}, '/a');
    expect(await fetch({ sha256: SHA256 }, '/mirror')).toMatchObject({ fromCache: true, url: `${server.origin}/a` });
    expect(await fetch({ sha256: SHA256, offline: true }, '/b')).toMatchObject({ fromCache: true });
    expect(server.seen).toHaveLength(1);
  });

  it('is all that there is offline', async () => {
    expect(await codeOf(fetch({ offline: true }))).toBe('Offline');
    expect(server.seen).toEqual([]);
    await fetch();
    expect(await fetch({ offline: true })).toMatchObject({ fromCache: true });
    expect(await codeOf(fetch({ offline: true, sha256: sha256Of(OTHER) }))).toBe('Offline');
    expect(await codeOf(fetch({ offline: true, refresh: true }))).toBe('InvalidArgument');
    expect(server.seen).toHaveLength(1);
  });

  it('is compared with the server when asked to, and downloaded if it is older', async () => {
    await fetch();
    const steps: FetchProgress[] = [];
    expect(await fetch({ refresh: true, onProgress: (step) => steps.push(step) })).toMatchObject({ fromCache: true });
    expect(steps).toEqual([]);
    replaceFile();
    expect(await fetch({ refresh: true })).toMatchObject({ fromCache: false, sha256: sha256Of(OTHER) });
    expect(server.seen).toHaveLength(3);
    file.etag = undefined;
    expect(await fetch({ refresh: true })).toMatchObject({ fromCache: false });
  });

  it('is fetched when there was none to refresh', async () => {
    expect(await fetch({ refresh: true })).toMatchObject({ fromCache: false, sha256: SHA256 });
  });
});

describe('calls for the same file', () => {
  const callers = (count: number, options: (index: number) => FetchWeightsOptions = () => ({})) =>
    Array.from({ length: count }, (_, index) => fetch(options(index)));

  it('share one download', async () => {
    const steps: FetchProgress[][] = [[], [], []];
    const all = await Promise.all(callers(3, (index) => ({ onProgress: (step) => steps[index]?.push(step) })));
    expect(new Set(all.map(({ sha256 }) => sha256))).toEqual(new Set([SHA256]));
    expect(steps[1]).toEqual(steps[0]);
    expect(steps[2]?.at(-1)).toEqual({ received: 100_000, total: 100_000, resumedFrom: 0, waiting: false });
    expect(server.seen).toHaveLength(1);
  });

  it('do not share it with those of another expectation, who wait', async () => {
    const [plain, right, wrong] = callers(
      3,
      (index) => [{}, { sha256: SHA256 }, { sha256: sha256Of(OTHER) }][index] ?? {},
    );
    expect(await plain).toMatchObject({ fromCache: false });
    expect(await right).toMatchObject({ fromCache: true });
    expect(await codeOf(wrong!)).toBe('HashMismatch');
    expect(server.seen).toHaveLength(2);
  });

  it('fail together', async () => {
    file.next = [{ status: 404 }];
    for (const call of callers(3)) expect(await codeOf(call)).toBe('HttpStatus');
    expect(server.seen).toHaveLength(1);
    expect((await fetch()).sha256).toBe(SHA256);
  });

  it('go on when one of them aborts', async () => {
    file.next = [{ stall: 50_000 }];
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ received }: FetchProgress) => received === 50_000 && controller.abort(reason);
    // The options of the first call hold for the download that they share.
    const aborted = fetch({ signal: controller.signal, stallMs: 300 });
    const patient = fetch({ onProgress });
    await expect(aborted).rejects.toBe(reason);
    expect((await patient).sha256).toBe(SHA256);
    expect(server.starts).toEqual([0, 50_000]);
  });

  it('see where it stands when they come late', async () => {
    file.next = [{ stall: 50_000 }];
    let late: Promise<FetchProgress> | undefined;
    await fetch({
      stallMs: 300,
      onProgress: ({ received }) => {
        if (received === 50_000) late ??= new Promise((resolve) => void fetch({ onProgress: resolve }));
      },
    });
    expect(await late).toMatchObject({ received: 50_000 });
  });
});

describe('an abort', () => {
  it('before the call sends nothing', async () => {
    const reason = new Error('enough');
    await expect(fetch({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.seen).toEqual([]);
  });

  it('ends the connection, and leaves what a later call resumes', async () => {
    file.next = [{ stall: 50_000 }];
    const controller = new AbortController();
    const onProgress = ({ received }: FetchProgress) => received === 50_000 && controller.abort();
    const call = fetch({ signal: controller.signal, onProgress });
    expect((await rejection(call, DOMException)).name).toBe('AbortError');
    expect(await cache.list()).toEqual([]);
    expect((await fetch()).sha256).toBe(SHA256);
    expect(server.starts).toEqual([0, 50_000]);
  });

  it('while an answer, or a new try, is waited for', async () => {
    for (const fault of [{ stall: -1 }, { status: 503, retryAfter: '60' }]) {
      file.next = [fault];
      const controller = new AbortController();
      const call = fetch({ signal: controller.signal });
      await expect.poll(() => file.next).toEqual([]);
      setTimeout(() => controller.abort('enough'), 50);
      await expect(call).rejects.toBe('enough');
    }
  });

  it('does not disturb a call that comes while it is carried out', async () => {
    file.next = [{ stall: 50_000 }];
    const controller = new AbortController();
    let next: Promise<unknown> | undefined;
    const onProgress = ({ received }: FetchProgress) => {
      if (received !== 50_000) return;
      controller.abort('enough');
      next = fetch();
    };
    await expect(fetch({ signal: controller.signal, onProgress })).rejects.toBe('enough');
    expect(await next).toMatchObject({ sha256: SHA256, fromCache: false });
  });

  it('is what an exception of onProgress comes to', async () => {
    const broken = new TypeError('no bar');
    const onProgress = () => {
      throw broken;
    };
    await expect(fetch({ onProgress })).rejects.toBe(broken);
    expect((await fetch()).sha256).toBe(SHA256);
  });

  it('leaves nothing else on disk', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'weights-'));
    cache = fileCache({ directory });
    file.next = [{ stall: 50_000 }];
    const controller = new AbortController();
    const onProgress = ({ received }: FetchProgress) => received === 50_000 && controller.abort('enough');
    await expect(fetch({ signal: controller.signal, onProgress })).rejects.toBe('enough');
    const left = (await readdir(directory, { recursive: true })).map((name) => name.replaceAll(/[0-9a-f]{32,}/g, '*'));
    expect(left.sort()).toEqual([
      'entries',
      'files',
      'partial',
      join('partial', '*.*.json'),
      join('partial', '*.*.part'),
    ]);
    await rm(directory, { recursive: true });
  });
});

describe('what is refused beforehand', () => {
  it.each<[string, FetchWeightsOptions]>([
    ['a hash that is none', { sha256: 'abc' }],
    ['a hash that is no text', { sha256: 7 as never }],
    ['negative retries', { retries: -1 }],
    ['no time at all', { stallMs: 0 }],
    ['more time than timers have', { stallMs: 2 ** 31 }],
    ['a limit that is no number', { maxBytes: Number.NaN }],
  ])('%s', async (_, options) => {
    expect(await codeOf(fetch(options))).toBe('InvalidArgument');
    expect(server.seen).toEqual([]);
  });

  it('to keep files where there is no place', async () => {
    const { code, message } = await rejection(fetchWeights(server.url), FetchWeightsError);
    expect(code).toBe('CacheUnavailable');
    expect(message).toContain('@saccade/weights/node');
  });
});

describe('a cache of one’s own', () => {
  /** The memory cache, whose owner loses the right after so many chunks. */
  function losing(times: number): WeightsCache {
    const lossy = (partial: PartialWeights): PartialWeights =>
      new Proxy(partial, {
        get: (_, name) => {
          if (name === 'append' && times-- > 0) return () => Promise.reject(new LostRightError('taken'));
          const member: unknown = Reflect.get(partial, name, partial);
          return typeof member === 'function' ? member.bind(partial) : member;
        },
      });
    const acquire: WeightsCache['acquire'] = async (...args) => lossy(await inner.acquire(...args));
    const inner = memoryCache();
    return new Proxy(inner, {
      get: (_, name) => (name === 'acquire' ? acquire : Reflect.get(inner, name, inner).bind(inner)),
    });
  }

  it('may take the right away, which is asked for again', async () => {
    expect((await fetch({ cache: losing(2) })).sha256).toBe(SHA256);
    expect(server.seen).toHaveLength(3);
  });

  it('may not do so for ever', async () => {
    expect(await codeOf(fetch({ cache: losing(100) }))).toBe('CacheIo');
  });
});
