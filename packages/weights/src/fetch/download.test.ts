import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { rejection } from '../testing/rejection.ts';
import { memoryCache } from './browser/caches.ts';
import { FetchWeightsError } from './errors.ts';
import type { FetchProgress } from './options.ts';
import { fetchWeights } from './portable.ts';
import { codeOf, contentOf, fetchFrom, sha256Of } from './testing/fetching.ts';
import { type Fault, pattern, type ServedFile, serveFile, TestServer } from './testing/server.ts';

const SIZE = 200_000;
const BYTES = pattern(SIZE);
const SHA256 = sha256Of(BYTES);
const OTHER = pattern(SIZE, 1);
const WRONG = sha256Of(OTHER);
const DATE = 'Mon, 05 Jan 2026 10:00:00 GMT';

describe('a download', () => {
  it('brings the file, its hash and its progress', async () => {
    const { result, progress, server } = await fetchFrom({ bytes: BYTES, etag: '"v1"' }, { sha256: SHA256 });
    const weights = await result;
    expect(weights).toMatchObject({ size: SIZE, sha256: SHA256, etag: '"v1"', fromCache: false, url: server.url });
    expect(await contentOf(weights)).toBe(SHA256);
    expect(progress[0]).toEqual({ received: 0, total: SIZE, resumedFrom: 0, waiting: false });
    expect(progress.at(-1)).toEqual({ received: SIZE, total: SIZE, resumedFrom: 0, waiting: false });
    const received = progress.map((step) => step.received);
    expect(received).toEqual(received.toSorted((a, b) => a - b));
    expect(server.seen[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
    expect(server.seen[0]?.headers.range).toBeUndefined();
  });

  it('brings an empty file', async () => {
    const { result } = await fetchFrom({ bytes: new Uint8Array(0), etag: '"v1"' });
    expect(await result).toMatchObject({ size: 0, sha256: sha256Of(new Uint8Array(0)) });
  });

  it('brings a file whose length the server does not say', async () => {
    const { result, progress } = await fetchFrom((_, response) => {
      response.write(BYTES.subarray(0, 1000));
      response.end(BYTES.subarray(1000));
    });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(progress[0]?.total).toBeUndefined();
  });

  it('computes the hash of a file larger than one segment of the store', async () => {
    const large = new Uint8Array(17 * 2 ** 20).fill(7);
    const { result } = await fetchFrom({ bytes: large });
    expect(await contentOf(await result)).toBe(sha256Of(large));
    expect((await result).sha256).toBe(sha256Of(large));
  });

  it('takes the hash in capitals', async () => {
    const { result } = await fetchFrom({ bytes: BYTES }, { sha256: SHA256.toUpperCase() });
    expect((await result).sha256).toBe(SHA256);
  });

  it('keeps nothing of a file with another hash', async () => {
    const { result, cache, server } = await fetchFrom({ bytes: BYTES, etag: '"v1"' }, { sha256: WRONG });
    const { code, message } = await rejection(result, FetchWeightsError);
    expect(code).toBe('HashMismatch');
    expect(message).toContain(SHA256);
    expect(message).toContain(WRONG);
    expect(await cache.list()).toEqual([]);
    expect(server.seen).toHaveLength(1);
  });
});

describe('a cut connection', () => {
  it.each<[string, Partial<ServedFile>, string | undefined]>([
    ['a strong ETag', { etag: '"v1"', lastModified: DATE }, '"v1"'],
    ['a date, where the ETag is weak', { etag: 'W/"v1"', lastModified: DATE }, DATE],
    ['a date', { lastModified: DATE }, DATE],
  ])('is taken up where it stopped, by %s', async (_, validators, condition) => {
    const { result, server, progress } = await fetchFrom({
      bytes: BYTES,
      ...validators,
      next: [{ cut: 50_000 }, { cut: 30_000 }],
    });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.starts).toEqual([0, 50_000, 80_000]);
    expect(server.seen.map(({ headers }) => headers['if-range'])).toEqual([undefined, condition, condition]);
    expect(progress.at(-1)).toMatchObject({ received: SIZE, resumedFrom: 0 });
  });

  it('begins anew without anything that tells versions apart', async () => {
    const { result, server } = await fetchFrom({ bytes: BYTES, next: [{ cut: 50_000 }] });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.starts).toEqual([0, 0]);
  });

  it('is taken up without it where the hash is known', async () => {
    const { result, server } = await fetchFrom({ bytes: BYTES, next: [{ cut: 50_000 }] }, { sha256: SHA256 });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.starts).toEqual([0, 50_000]);
  });

  it('begins anew with a server that ignores ranges', async () => {
    const { result, server } = await fetchFrom({ bytes: BYTES, etag: '"v1"', ranges: false, next: [{ cut: 50_000 }] });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.starts).toEqual([0, 50_000]);
  });

  it('that looks like the end of the file, behind a proxy, is taken up as well', async () => {
    const ends: [number, number][] = [];
    // At most 70 000 bytes an answer, of which each ends in good order.
    const fetch = async (_: string, { headers }: RequestInit) => {
      const start = Number(/\d+/.exec(new Headers(headers).get('range') ?? '0')?.[0]);
      const end = Math.min(start + 70_000, SIZE);
      ends.push([start, end]);
      const length = start === 0 ? SIZE : end - start;
      const range = { 'content-range': `bytes ${start}-${end - 1}/${SIZE}` };
      return new Response(BYTES.slice(start, end), {
        status: start === 0 ? 200 : 206,
        headers: { etag: '"v1"', 'content-length': `${length}`, ...(start > 0 && range) },
      });
    };
    const { result } = await fetchFrom({ bytes: BYTES }, { fetch });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(ends).toEqual([
      [0, 70_000],
      [70_000, 140_000],
      [140_000, SIZE],
    ]);
  });

  it('before the first byte is tried again', async () => {
    const { result, server } = await fetchFrom({ bytes: BYTES, next: [{ cut: -1 }, { cut: 0 }] });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.seen).toHaveLength(3);
  });

  it('fails after as many tries as allowed, and a later call goes on', async () => {
    const file: ServedFile = { bytes: BYTES, etag: '"v1"', next: [{ cut: 50_000 }, { cut: 10_000 }, { cut: 10_000 }] };
    await using server = await TestServer.start(serveFile(file));
    const cache = memoryCache();
    const options = { cache, backoffMs: 1, retries: 1 };
    expect(await codeOf(fetchWeights(server.url, { ...options, onProgress: server.delivered }))).toBe('Network');
    expect(await cache.list()).toEqual([]);
    const resumed: number[] = [];
    const onProgress = (step: FetchProgress) => {
      resumed.push(step.resumedFrom);
      server.delivered(step);
    };
    expect(await contentOf(await fetchWeights(server.url, { ...options, onProgress }))).toBe(SHA256);
    expect(server.starts).toEqual([0, 50_000, 60_000, 70_000]);
    expect(new Set(resumed)).toEqual(new Set([60_000]));
  });

  it('does not count as a failure if it brought a lot', async () => {
    const bytes = pattern(2 ** 22);
    const cut = { cut: 2 ** 20 };
    const { result } = await fetchFrom({ bytes, etag: '"v1"', next: [cut, cut, cut] }, { retries: 1 });
    expect(await contentOf(await result)).toBe(sha256Of(bytes));
  });

  it('is not waited for without end when ranges are ignored', async () => {
    const bytes = pattern(2 ** 22);
    const next = Array.from({ length: 20 }, () => ({ cut: 2 ** 21 }));
    const { result, server } = await fetchFrom({ bytes, etag: '"v1"', ranges: false, next }, { retries: 2 });
    expect(await codeOf(result)).toBe('Network');
    expect(server.seen.length).toBeLessThan(6);
  });
});

describe('a server that stalls', () => {
  it.each([-1, 0, 70_000])('after %i bytes is left and asked again', async (stall) => {
    const { result, server } = await fetchFrom({ bytes: BYTES, etag: '"v1"', next: [{ stall }] }, { stallMs: 700 });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.starts).toEqual([0, Math.max(stall, 0)]);
  });

  it('every time is given up', async () => {
    const next = [{ stall: 100 }, { stall: 100 }, { stall: 100 }];
    const { result } = await fetchFrom({ bytes: BYTES, etag: '"v1"', next }, { stallMs: 40, retries: 2 });
    expect(await codeOf(result)).toBe('Stalled');
  });
});

describe('a file that changes', () => {
  const change = (file: ServedFile) => {
    file.bytes = OTHER;
    file.etag = '"v2"';
  };

  it('between two parts is fetched anew', async () => {
    const file: ServedFile = { bytes: BYTES, etag: '"v1"', next: [{ cut: 50_000 }] };
    const { result, server } = await fetchFrom({ ...file, after: change });
    expect(await result).toMatchObject({ sha256: WRONG, etag: '"v2"' });
    expect(server.starts).toEqual([0, 50_000]);
  });

  it('again and again is given up', async () => {
    let version = 1;
    const next = Array.from({ length: 5 }, () => ({ cut: 50_000 }));
    const { result, cache } = await fetchFrom({
      bytes: BYTES,
      etag: '"v1"',
      next,
      after: (file) => {
        file.etag = `"v${++version}"`;
      },
    });
    expect(await codeOf(result)).toBe('Changed');
    expect(await cache.list()).toEqual([]);
  });

  it.each<[string, Partial<ServedFile>]>([
    ['gives parts of the new version all the same', { etag: '"v2"' }],
    ['keeps the ETag and changes the length', { bytes: pattern(SIZE + 1) }],
  ])('on a server that %s is noticed', async (_, { etag = '"v1"', bytes = OTHER }) => {
    const next = [{ cut: 50_000 }];
    const after = (file: ServedFile) => Object.assign(file, { bytes, etag });
    const careless = serveFile({ bytes: BYTES, etag: '"v1"', next, after });
    const { result } = await fetchFrom((request, response) => {
      delete request.headers['if-range'];
      careless(request, response);
    });
    expect(await contentOf(await result)).toBe(sha256Of(bytes));
  });

  it('and became shorter than what is there is fetched anew', async () => {
    const shorter = BYTES.subarray(0, 1000);
    const careless = serveFile({
      bytes: BYTES,
      etag: '"v1"',
      next: [{ cut: 50_000 }],
      after: (file) => Object.assign(file, { bytes: shorter }),
    });
    const { result } = await fetchFrom((request, response) => {
      delete request.headers['if-range'];
      careless(request, response);
    });
    expect(await contentOf(await result)).toBe(sha256Of(shorter));
  });

  it('and is not the one expected is fetched twice, in pieces, and no more', async () => {
    const next: Fault[] = [{ cut: 50_000 }, 'whole', { cut: 60_000 }, 'whole', { cut: 70_000 }];
    const { result, server } = await fetchFrom({ bytes: BYTES, etag: '"v1"', next }, { sha256: WRONG });
    expect(await codeOf(result)).toBe('HashMismatch');
    expect(server.starts).toEqual([0, 50_000, 0, 60_000]);
  });

  it('unnoticed is caught by its hash, and fetched anew in one piece', async () => {
    const file: ServedFile = {
      bytes: OTHER,
      etag: '"same"',
      next: [{ cut: 50_000 }],
      after: (file) => Object.assign(file, { bytes: BYTES }),
    };
    const { result, server } = await fetchFrom(file, { sha256: SHA256 });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.starts).toEqual([0, 50_000, 0]);
  });
});

describe('a wrong length', () => {
  it('above that of the body is found out', async () => {
    const next = Array.from({ length: 9 }, () => ({ announce: SIZE + 500 }));
    const { result, cache, server } = await fetchFrom({ bytes: BYTES, etag: '"v1"', next });
    expect(await codeOf(result)).toBe('LengthMismatch');
    expect(await cache.list()).toEqual([]);
    expect(server.starts).toEqual([0, SIZE, 0, SIZE]);
  });

  it('above that of the body, where there is nothing to ask for the rest by, ends the tries', async () => {
    const next = Array.from({ length: 9 }, () => ({ announce: SIZE + 500 }));
    const { result } = await fetchFrom({ bytes: BYTES, next }, { retries: 2 });
    expect(await codeOf(result)).toBe('Network');
  });

  it('below that of the body cuts the file, which its hash tells', async () => {
    // Node's own server refuses to lie this way.
    const server = createServer((socket) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE - 500}\r\nConnection: close\r\n\r\n`;
      socket.on('error', () => undefined).end(Buffer.concat([Buffer.from(head), BYTES]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const cache = memoryCache();
    const result = fetchWeights(`http://127.0.0.1:${port}/x`, { cache, sha256: SHA256, backoffMs: 1 });
    expect(await codeOf(result)).toBe('HashMismatch');
    expect(await cache.list()).toEqual([]);
    server.close();
  });

  it('below that of the body is found out where a proxy hands it on', async () => {
    const fetch = async () => new Response(BYTES, { headers: { 'content-length': '1000' } });
    const { result } = await fetchFrom({ bytes: BYTES }, { fetch });
    expect(await codeOf(result)).toBe('LengthMismatch');
  });

  it.each<[string, string]>([
    ['begins elsewhere', `bytes 0-${SIZE - 1}/${SIZE}`],
    ['is of nonsense', 'bytes 9-1/5'],
    ['has an unreadable range', 'pages 1-2'],
  ])('of a part that %s makes it useless, not the file', async (_, range) => {
    const whole = serveFile({ bytes: BYTES, etag: '"v1"', next: [{ cut: 50_000 }] });
    const { result, server } = await fetchFrom((request, response) => {
      if (request.headers.range === undefined) return whole(request, response);
      return response.writeHead(206, { 'content-range': range, etag: '"v1"' }).end(BYTES);
    });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.starts).toEqual([0, 50_000, 0]);
  });

  it('of a part nobody asked for is refused', async () => {
    const { result } = await fetchFrom((_, response) =>
      response.writeHead(206, { 'content-range': 'bytes 0-9/10' }).end(BYTES.subarray(0, 10)),
    );
    expect(await codeOf(result)).toBe('LengthMismatch');
  });

  it('of a file beyond maxBytes is refused before and while it is downloaded', async () => {
    const announced = await fetchFrom({ bytes: BYTES }, { maxBytes: SIZE - 1 });
    expect(await codeOf(announced.result)).toBe('TooLarge');
    expect(announced.progress).toEqual([]);
    const endless = await fetchFrom(
      (_, response) => {
        const more = () => response.write(BYTES, () => setImmediate(more));
        more();
        response.on('error', () => undefined);
      },
      { maxBytes: 3 * SIZE },
    );
    expect(await codeOf(endless.result)).toBe('TooLarge');
    expect(endless.progress.at(-1)?.received).toBeLessThanOrEqual(3 * SIZE);
    expect(await contentOf(await (await fetchFrom({ bytes: BYTES }, { maxBytes: SIZE })).result)).toBe(SHA256);
  });
});

describe('a compressed answer', () => {
  it('is taken for what it unpacks to, without a length', async () => {
    const { result, progress } = await fetchFrom((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', etag: '"v1"' }).end(gzipSync(BYTES)),
    );
    expect(await contentOf(await result)).toBe(SHA256);
    expect(new Set(progress.map(({ total }) => total))).toEqual(new Set([undefined]));
  });

  it('is not taken up after a cut', async () => {
    const packed = gzipSync(BYTES);
    let asked = 0;
    const { result, server } = await fetchFrom((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', etag: '"v1"', 'content-length': packed.length });
      if (asked++ > 0) response.end(packed);
      else response.write(packed.subarray(0, 100_000), () => response.destroy());
    });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.seen.map(({ headers }) => headers.range)).toEqual([undefined, undefined]);
  });

  it('that unpacks to more than allowed is stopped', async () => {
    const bomb = gzipSync(new Uint8Array(2 ** 24));
    const { result, progress } = await fetchFrom(
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
      { maxBytes: 2 ** 20 },
    );
    expect(await codeOf(result)).toBe('TooLarge');
    expect(progress.at(-1)?.received).toBeLessThanOrEqual(2 ** 20);
  });
});

describe('a server in trouble', () => {
  it.each([429, 500, 502, 503, 504, 408])('that says %i is asked again', async (status) => {
    const { result, server } = await fetchFrom({ bytes: BYTES, next: [{ status }, { status }] });
    expect(await contentOf(await result)).toBe(SHA256);
    expect(server.seen).toHaveLength(3);
  });

  it('is left alone for as long as it wants', async () => {
    const before = performance.now();
    const { result } = await fetchFrom({ bytes: BYTES, next: [{ status: 503, retryAfter: '1' }] });
    await result;
    expect(performance.now() - before).toBeGreaterThan(990);
  });

  it('that wants to be left alone for long is not waited for', async () => {
    const { result, server } = await fetchFrom({ bytes: BYTES, next: [{ status: 429, retryAfter: '3600' }] });
    const error = await rejection(result, FetchWeightsError);
    expect(error).toMatchObject({ code: 'HttpStatus', status: 429, retryAfterMs: 3_600_000 });
    expect(error.message).toContain('in 3600 s');
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    [401, 'authorization'],
    [403, 'authorization'],
    [404, 'Check the address'],
    [418, 'Open the address'],
    [204, 'Open the address'],
  ])('that says %i is asked once', async (status, advice) => {
    const { result, server } = await fetchFrom({ bytes: BYTES, next: [{ status }] });
    const error = await rejection(result, FetchWeightsError);
    expect(error).toMatchObject({ code: 'HttpStatus', status });
    expect(error.message).toContain(advice);
    expect(server.seen).toHaveLength(1);
  });

  it('that is not there is an error of the network', async () => {
    const server = await TestServer.start(() => undefined);
    await server.close();
    const error = await rejection(
      fetchWeights(server.url, { cache: memoryCache(), retries: 1, backoffMs: 1 }),
      FetchWeightsError,
    );
    expect(error.code).toBe('Network');
    expect(error.message).toContain('ECONNREFUSED');
  });
});
