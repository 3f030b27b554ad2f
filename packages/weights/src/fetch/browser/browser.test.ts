import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeInBrowser } from '@saccade/browser';
import { afterEach, expect, it } from 'vitest';
import { EXPECTED } from '../testing/exercise.ts';
import { sha256Of } from '../testing/fetching.ts';
import { type Handler, pattern, type ServedFile, serveFile, TestServer } from '../testing/server.ts';

type Exported = typeof import('../testing/page.ts');

const DATE = 'Mon, 05 Jan 2026 10:00:00 GMT';
const BYTES = pattern(200_000);
const SHA256 = sha256Of(BYTES);
const LARGE = pattern(18 * 2 ** 20);

/** What the page's own server answers; each test brings its own. */
let handler: Handler = (_, response) => response.writeHead(404).end();
const seen: IncomingMessage[] = [];
const serve = (request: IncomingMessage, response: ServerResponse) => {
  seen.push(request);
  handler(request, response);
};

await describeInBrowser<Exported>(
  'weights',
  new URL('../testing/page.ts', import.meta.url),
  (page) => {
    afterEach(() => {
      seen.length = 0;
    });

    it.each(['opfs', 'cacheApi', 'browser'] as const)('cache %s does what caches do', async (cache) => {
      // Structured data from the page has no undefined members.
      expect(await page().call('exercise', cache)).toEqual(EXPECTED);
    });

    it('are kept in OPFS, where a reader takes only what it needs', async () => {
      const bytes = Buffer.from(await page().call('tensorFile'));
      handler = serveFile({ bytes, etag: '"v1"' });
      expect(await page().call('readTensor', '/tensors', 'head.bias')).toEqual([1, 2, 3]);
      expect(await page().call('readTensor', `${page().origin}/tensors#again`, 'head.bias')).toEqual([1, 2, 3]);
      expect(seen).toHaveLength(1);
      const { opfs, cacheApi } = await page().call('stores');
      expect(opfs).toBeGreaterThan(0);
      expect(cacheApi).toBe(0);
    });

    it('are kept in the Cache API where OPFS cannot be written', async () => {
      handler = serveFile({ bytes: BYTES, etag: '"v1"' });
      const tab = await page().openTab();
      await tab.call('forgetOpfs');
      expect(await tab.call('fetchFile', '/old-browser', {})).toMatchObject({ content: SHA256, fromCache: false });
      expect(await tab.call('fetchFile', '/old-browser', {})).toMatchObject({ content: SHA256, fromCache: true });
      expect((await tab.call('stores')).cacheApi).toBeGreaterThan(0);
      expect(await tab.call('fetchFile', '/old-browser', {}, 'opfs')).toMatchObject({ code: 'CacheUnavailable' });
      await tab.page.close();
    });

    it('are taken up after a cut', async () => {
      handler = serveFile({ bytes: BYTES, etag: '"v1"', next: [{ cut: 50_000, afterMs: 200 }] });
      expect(await page().call('fetchFile', '/cut', { sha256: SHA256 })).toMatchObject({ content: SHA256 });
      expect(seen.map(({ headers }) => [headers.range, headers['if-range']])).toEqual([
        [undefined, undefined],
        ['bytes=50000-', '"v1"'],
      ]);
    });

    it('with a wrong hash are not kept', async () => {
      handler = serveFile({ bytes: BYTES });
      const wrong = { sha256: sha256Of(LARGE) };
      expect(await page().call('fetchFile', '/wrong', wrong)).toMatchObject({ code: 'HashMismatch' });
      expect(await page().call('fetchFile', '/wrong', { offline: true })).toMatchObject({ code: 'Offline' });
    });

    it('are downloaded once by two tabs, of which the second sees the progress of the first', async () => {
      let finish: () => void = () => undefined;
      handler = (_, response) => {
        response.writeHead(200, { 'content-length': LARGE.length, etag: '"v1"' });
        response.write(LARGE.subarray(0, 17 * 2 ** 20));
        finish = () => response.end(LARGE.subarray(17 * 2 ** 20));
      };
      const tab = await page().openTab();
      const first = page().call('fetchFile', '/shared', {});
      await expect.poll(() => seen.length).toBe(1);
      const second = tab.call('fetchFile', '/shared', {});
      await new Promise((resolve) => setTimeout(resolve, 1000));
      finish();
      expect(await first).toMatchObject({ sha256: sha256Of(LARGE), fromCache: false });
      const watched = await second;
      expect(watched).toMatchObject({ sha256: sha256Of(LARGE), content: sha256Of(LARGE), fromCache: true });
      // One whole segment is there to be seen.
      const step = { received: 16 * 2 ** 20, total: LARGE.length, resumedFrom: 0, waiting: true };
      expect(watched.progress).toContainEqual(step);
      expect(seen).toHaveLength(1);
      await tab.page.close();
    });

    it('are taken up where a tab that was closed had stopped', async () => {
      handler = serveFile({ bytes: LARGE, etag: '"v1"', next: [{ stall: 17 * 2 ** 20 }] });
      const tab = await page().openTab();
      await tab.call('begin', '/closed', 16.5 * 2 ** 20);
      await tab.page.close();
      expect(await page().call('fetchFile', '/closed', {})).toMatchObject({ content: sha256Of(LARGE) });
      expect(seen.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${16 * 2 ** 20}-`]);
    });

    it('come from another origin that exposes nothing, without being asked for leave', async () => {
      const headers = { 'access-control-allow-origin': '*' };
      const file: ServedFile = {
        bytes: BYTES,
        etag: '"v1"',
        lastModified: DATE,
        headers,
        next: [{ cut: 50_000, afterMs: 200 }],
      };
      await using other = await TestServer.start(serveFile(file));
      const result = await page().call('fetchFile', other.url, {});
      expect(result).toMatchObject({ content: SHA256, etag: undefined });
      expect(other.seen.map(({ method }) => method)).toEqual(['GET', 'GET']);
      expect(other.starts).toEqual([0, 50_000]);
    });

    it('from another origin that does not allow it fail with a hint', async () => {
      await using other = await TestServer.start(serveFile({ bytes: BYTES }));
      const result = await page().call('fetchFile', other.url, { retries: 0 });
      expect(result).toMatchObject({ code: 'Network', message: expect.stringContaining('CORS') });
    });

    it('from another origin are fetched anew when the file changed in between', async () => {
      const headers = { 'access-control-allow-origin': '*' };
      const changed = pattern(200_000, 1);
      const careless = serveFile({
        bytes: BYTES,
        lastModified: DATE,
        headers,
        next: [{ cut: 50_000, afterMs: 200 }],
        after: (file) => Object.assign(file, { bytes: changed, lastModified: DATE.replace('10', '11') }),
      });
      await using other = await TestServer.start(careless);
      const result = await page().call('fetchFile', other.url, {});
      expect(result).toMatchObject({ content: sha256Of(changed) });
      expect(other.starts).toEqual([0, 50_000, 0]);
    });

    it('are found behind a redirect, along which no header but Authorization is sent', async () => {
      const headers = { 'access-control-allow-origin': '*' };
      await using other = await TestServer.start(serveFile({ bytes: BYTES, headers }));
      handler = (_, response) => response.writeHead(302, { location: other.url }).end();
      const authorization = { authorization: 'Bearer t' };
      const plain = await page().call('fetchFile', '/redirect', { headers: authorization });
      expect(plain).toMatchObject({ content: SHA256 });
      expect(seen.map((request) => request.headers.authorization)).toEqual(['Bearer t', 'Bearer t']);
      expect(other.seen.map((request) => request.headers.authorization)).toEqual([undefined]);
      const leak = await page().call('fetchFile', '/redirect?2', { headers: { 'x-key': 'k' } });
      expect(leak).toMatchObject({ code: 'RedirectRefused', message: expect.stringContaining('x-key') });
    });

    it('that do not fit into the quota are an error that says so', async () => {
      handler = serveFile({ bytes: LARGE, etag: '"v1"' });
      const session = await page().page.context().newCDPSession(page().page);
      const origin = page().origin;
      await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 2 ** 22 });
      for (const cache of ['opfs', 'cacheApi'] as const) {
        expect(await page().call('fetchFile', '/large', {}, cache)).toMatchObject({ code: 'NoSpace' });
      }
      await session.send('Storage.overrideQuotaForOrigin', { origin });
      expect(await page().call('fetchFile', '/large', {})).toMatchObject({ content: sha256Of(LARGE) });
    });
  },
  { serve },
);
