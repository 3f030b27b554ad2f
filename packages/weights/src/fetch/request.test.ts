import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { rejection } from '../testing/rejection.ts';
import { memoryCache } from './browser/caches.ts';
import { FetchWeightsError } from './errors.ts';
import type { FetchWeightsOptions } from './options.ts';
import { fetchWeights } from './portable.ts';
import { codeOf, contentOf, fetchFrom, sha256Of } from './testing/fetching.ts';
import { pattern, serveFile, TestServer } from './testing/server.ts';

const BYTES = pattern(5000);
const SHA256 = sha256Of(BYTES);
const redirect = (response: ServerResponse, location: string, status = 302) =>
  response.writeHead(status, { location }).end('moved');

/** Fetches with a global fetch of the test's making, which needs no server. */
function fetchThrough(url: string, fetch: (url: string, init: RequestInit) => Promise<Response>, options = {}) {
  return fetchWeights(url, { cache: memoryCache(), backoffMs: 1, retries: 1, fetch, ...options });
}

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('of status %i are followed, relative ones too', async (status) => {
    const file = serveFile({ bytes: BYTES });
    const { result, server } = await fetchFrom((request, response) => {
      if (request.url === '/model.bin') return redirect(response, 'other/place?x=1', status);
      if (request.url === '/other/place?x=1') return redirect(response, '/file', status);
      return file(request, response);
    });
    expect((await result).sha256).toBe(SHA256);
    expect((await result).url).toBe(server.url);
    expect(server.seen.map(({ path }) => path)).toEqual(['/model.bin', '/other/place?x=1', '/file']);
  });

  it('are followed anew when a cut download is taken up', async () => {
    const file = serveFile({ bytes: BYTES, etag: '"v1"', next: [{ cut: 1000 }] });
    let signature = 0;
    const { result, server } = await fetchFrom((request, response) =>
      request.url === '/model.bin' ? redirect(response, `/signed?${++signature}`) : file(request, response),
    );
    expect((await result).sha256).toBe(SHA256);
    expect(server.seen.map(({ path }) => path)).toEqual(['/model.bin', '/signed?1', '/model.bin', '/signed?2']);
    expect(server.starts).toEqual([0, 0, 1000, 1000]);
  });

  it('in a circle are given up', async () => {
    const { result, server } = await fetchFrom((_, response) => redirect(response, '/model.bin'));
    expect(await codeOf(result)).toBe('RedirectRefused');
    expect(server.seen).toHaveLength(11);
  });

  it.each([
    ['ftp', 'ftp://host/file'],
    ['this computer', 'file:///etc/passwd'],
    ['the hub by its short name', 'hf:owner/repo/file'],
    ['an address with a password', 'http://name:password@127.0.0.1/'],
    ['nonsense', 'http://['],
  ])('to %s are refused', async (_, location) => {
    const { result } = await fetchFrom((_, response) => redirect(response, location));
    expect(await codeOf(result)).toBe('RedirectRefused');
  });

  it('without an address are refused', async () => {
    const { result } = await fetchFrom((_, response) => response.writeHead(302).end());
    expect(await codeOf(result)).toBe('RedirectRefused');
  });

  it('from https to http are refused before anything is sent there', async () => {
    const asked: string[] = [];
    const result = fetchThrough('https://safe.example/file?key=secret', async (url) => {
      asked.push(url);
      return new Response(null, { status: 302, headers: { location: 'http://unsafe.example/file?key=secret' } });
    });
    const { code, message } = await rejection(result, FetchWeightsError);
    expect(code).toBe('RedirectRefused');
    expect(message).toContain('http://unsafe.example/file');
    expect(message).not.toContain('secret');
    expect(asked).toEqual(['https://safe.example/file?key=secret']);
  });

  it('that only a browser sees are left to it, unless a header would travel along', async () => {
    const unseen = Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' });
    const fetch = async (_: string, { redirect }: RequestInit) =>
      redirect === 'manual' ? unseen : new Response(BYTES.slice());
    expect((await fetchThrough('https://a.example/x', fetch)).sha256).toBe(SHA256);
    const authorization = { authorization: 'Bearer t' };
    expect((await fetchThrough('https://a.example/x', fetch, { headers: authorization })).sha256).toBe(SHA256);
    const other = fetchThrough('https://a.example/x', fetch, { headers: { ...authorization, 'x-key': 'k' } });
    const { code, message } = await rejection(other, FetchWeightsError);
    expect(code).toBe('RedirectRefused');
    expect(message).toContain('x-key');
    const downgraded = async (url: string, init: RequestInit) =>
      Object.defineProperty(await fetch(url, init), 'url', { value: 'http://a.example/x' });
    expect(await codeOf(fetchThrough('https://a.example/x', downgraded))).toBe('RedirectRefused');
  });
});

describe('headers', () => {
  it('of the caller reach its server, and ours stay ours', async () => {
    const headers = { authorization: 'Bearer t', 'x-key': 'k', range: 'bytes=5-6', 'Accept-Encoding': 'br' };
    const { result, server } = await fetchFrom({ bytes: BYTES }, { headers });
    expect((await result).sha256).toBe(SHA256);
    expect(server.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer t',
      'x-key': 'k',
      'accept-encoding': 'identity',
    });
    expect(server.seen[0]?.headers.range).toBeUndefined();
  });

  it('are asked for before each request', async () => {
    let token = 0;
    const { result, server } = await fetchFrom(
      { bytes: BYTES, etag: '"v1"', next: [{ cut: 1000 }] },
      { headers: async (url) => ({ authorization: `${url.pathname} ${++token}` }) },
    );
    await result;
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['/model.bin 1', '/model.bin 2']);
  });

  it('are not told to another origin, nor to the first one when it is sent back', async () => {
    const file = serveFile({ bytes: BYTES });
    await using other = await TestServer.start((request, response) =>
      redirect(response, `${String(request.headers['x-origin'] ?? first)}/back`),
    );
    let first = '';
    const options: FetchWeightsOptions = { headers: { authorization: 'Bearer t', 'x-key': 'k', cookie: 'c=1' } };
    const { result, server } = await fetchFrom((request: IncomingMessage, response: ServerResponse) => {
      first = `http://${request.headers.host}`;
      return request.url === '/model.bin' ? redirect(response, other.url) : file(request, response);
    }, options);
    expect((await result).sha256).toBe(SHA256);
    const told = [server.seen[0], other.seen[0], server.seen[1]].map((seen) => [
      seen?.headers.authorization,
      seen?.headers['x-key'],
      seen?.headers.cookie,
    ]);
    const nothing = [undefined, undefined, undefined];
    expect(told).toEqual([['Bearer t', 'k', 'c=1'], nothing, nothing]);
  });

  it('that are none are refused', async () => {
    const { result } = await fetchFrom({ bytes: BYTES }, { headers: { 'not a name': 'x' } });
    expect(await codeOf(result)).toBe('InvalidArgument');
  });

  it('fail the call as their function does', async () => {
    const gone = new Error('no token');
    const { result } = await fetchFrom({ bytes: BYTES }, { headers: () => Promise.reject(gone) });
    await expect(result).rejects.toBe(gone);
  });
});

describe('the hub', () => {
  const reference = 'hf:owner/repo/sub/model.safetensors@v1.0';
  const path = '/owner/repo/resolve/v1.0/sub/model.safetensors';

  /** As the hub does: the server of the model says what the file is and redirects to where it lies. */
  async function hub(linked: Record<string, string>, file = serveFile({ bytes: BYTES, etag: '"cdn"' })) {
    const storage = await TestServer.start(file);
    const server = await TestServer.start((_, response) =>
      response.writeHead(302, { location: `${storage.url}?signature=s`, ...linked }).end(),
    );
    return {
      server,
      storage,
      fetch: (options: FetchWeightsOptions = {}) =>
        fetchWeights(reference, {
          cache: memoryCache(),
          hfEndpoint: server.origin,
          backoffMs: 1,
          onProgress: storage.delivered,
          ...options,
        }),
      [Symbol.asyncDispose]: async () => {
        await storage.close();
        await server.close();
      },
    };
  }

  it('gets its token and keeps it to itself', async () => {
    await using there = await hub({ 'x-linked-etag': `"${SHA256}"`, 'x-linked-size': '5000' });
    expect(await there.fetch({ hfToken: async () => 'hf_abc' })).toMatchObject({ sha256: SHA256, etag: '"cdn"' });
    expect(there.server.seen).toMatchObject([{ path, headers: { authorization: 'Bearer hf_abc' } }]);
    expect(there.storage.seen).toHaveLength(1);
    expect(there.storage.seen[0]?.headers.authorization).toBeUndefined();
  });

  it('is believed when it says what the file is', async () => {
    await using there = await hub({ 'x-linked-etag': `"${sha256Of(pattern(5000, 1))}"` });
    expect(await codeOf(there.fetch())).toBe('HashMismatch');
  });

  it('says beforehand that the file is not the one expected', async () => {
    await using there = await hub({ 'x-linked-etag': `"${SHA256}"` });
    const progress: unknown[] = [];
    const result = there.fetch({ sha256: sha256Of(pattern(9)), onProgress: (step) => progress.push(step) });
    expect(await codeOf(result)).toBe('HashMismatch');
    expect(progress).toEqual([]);
  });

  it('names the size where the storage does not, and notices that it differs', async () => {
    await using chunked = await hub({ 'x-linked-size': '5000' }, (_, response) => {
      response.write(BYTES.subarray(0, 10));
      response.end(BYTES.subarray(10));
    });
    const totals = new Set<number | undefined>();
    await chunked.fetch({ onProgress: ({ total }) => totals.add(total) });
    expect(totals).toEqual(new Set([5000]));
    await using wrong = await hub({ 'x-linked-size': '5001' });
    expect(await codeOf(wrong.fetch())).toBe('LengthMismatch');
  });

  it('notices between two parts that the file was replaced', async () => {
    const linked: Record<string, string> = { 'x-linked-etag': `"${SHA256}"` };
    const other = pattern(5000, 1);
    const file = serveFile({
      bytes: BYTES,
      etag: '"careless"',
      next: [{ cut: 1000 }],
      after: (file) => {
        file.bytes = other;
        linked['x-linked-etag'] = `"${sha256Of(other)}"`;
      },
    });
    await using there = await hub(linked, file);
    expect(await contentOf(await there.fetch())).toBe(sha256Of(other));
    expect(there.storage.starts).toEqual([0, 1000, 0]);
  });

  it('is not believed about other references', async () => {
    const { result } = await fetchFrom({ bytes: BYTES, headers: { 'x-linked-etag': '"'.padEnd(65, 'a') } });
    expect((await result).sha256).toBe(SHA256);
  });

  it.each(['', 'two words', 'a\nb'])('refuses the token %j', async (hfToken) => {
    await using there = await hub({});
    expect(await codeOf(there.fetch({ hfToken }))).toBe('InvalidArgument');
    expect(there.server.seen).toHaveLength(0);
  });
});

describe('a page in place of a file', () => {
  const page = new TextEncoder().encode(`\ufeff\n <!DOCTYPE HTML><title>Log in</title>${' '.repeat(2000)}`);
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n';

  it.each<[string, Uint8Array, Record<string, string>]>([
    ['by its type', BYTES, { 'content-type': 'text/html; charset=utf-8' }],
    ['by its beginning', page, {}],
    ['by a short beginning', page.subarray(0, 40), {}],
    ['by <html>', new TextEncoder().encode('<html lang="en">'), {}],
    ['as a pointer of Git LFS', new TextEncoder().encode(pointer), { 'content-type': 'text/plain' }],
  ])('is recognised %s', async (_, bytes, headers) => {
    const { result, cache } = await fetchFrom({ bytes, headers, etag: '"v1"' });
    expect(await codeOf(result)).toBe('NotWeights');
    expect(await cache.list()).toEqual([]);
  });

  it('is recognised byte by byte', async () => {
    const { result } = await fetchFrom((_, response) => {
      const send = (at: number) => {
        if (at === 60) return response.end();
        return response.write(page.subarray(at, at + 1), () => setImmediate(send, at + 1));
      };
      send(0);
    });
    expect(await codeOf(result)).toBe('NotWeights');
  });

  it('is not seen where there is none', async () => {
    const json = new TextEncoder().encode('{"modelTopology": "<html>"}');
    expect((await (await fetchFrom({ bytes: json })).result).size).toBe(json.length);
  });
});
