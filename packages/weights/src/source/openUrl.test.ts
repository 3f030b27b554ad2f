import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openSafetensors } from '../safetensors/open.ts';
import { fixture } from '../testing/bytes.ts';
import { rejection } from '../testing/rejection.ts';
import { SourceError, type SourceErrorCode } from './errors.ts';
import { openUrl } from './openUrl.ts';

const FILE = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) % 251);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let server: Server | undefined;

async function serve(handler: Handler): Promise<string> {
  server = createServer(handler);
  await new Promise<void>((listening) => server?.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.bin`;
}
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((closed) => (server ? server.close(closed) : closed(undefined)));
  server = undefined;
});

interface Behaviour {
  readonly file?: Uint8Array;
  readonly etag?: string;
  readonly headers?: Record<string, string>;
  readonly log?: string[];
}

/** A server that does everything right, as RFC 9110 has it, `If-Range` included. */
function good({ file = FILE, etag = '"v1"', headers = {}, log }: Behaviour = {}): Handler {
  return (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    log?.push(`${request.headers.range} ${request.headers['if-range'] ?? '-'}`);
    const condition = request.headers['if-range'];
    if (from === undefined || (condition !== undefined && condition !== etag)) {
      response.writeHead(200, { etag, ...headers });
      response.end(file);
      return;
    }
    if (Number(from) >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
      return;
    }
    const end = Math.min(Number(to) + 1, file.length);
    response.writeHead(206, { etag, 'content-range': `bytes ${from}-${end - 1}/${file.length}`, ...headers });
    response.end(file.subarray(Number(from), end));
  };
}

const codeOf = async (promise: Promise<unknown>): Promise<SourceErrorCode> =>
  (await rejection(promise, SourceError)).code;

describe('openUrl', () => {
  it('reads parts, and the beginning only once', async () => {
    const log: string[] = [];
    const source = await openUrl(await serve(good({ log })));
    expect(source.size).toBe(FILE.length);
    expect(await source.read(10, 20)).toEqual(FILE.slice(10, 20));
    expect(await source.read(150_000, 200_000)).toEqual(FILE.slice(150_000));
    expect(await source.read(5, 5)).toEqual(new Uint8Array(0));
    expect(log).toEqual(['bytes=0-65535 -', 'bytes=150000-199999 "v1"']);
  });

  it('serves a reader of a format', async () => {
    const file = await openSafetensors(
      await openUrl(await serve(good({ file: fixture('upstream_types.safetensors') }))),
    );
    expect((await file.get('int32')).data).toEqual(Int32Array.of(-(2 ** 31), 2 ** 31 - 1));
  });

  it('opens an empty file', async () => {
    expect((await openUrl(await serve(good({ file: new Uint8Array(0) })))).size).toBe(0);
  });

  it('sends the headers given, calls the fetch given', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      good()(request, response);
    });
    let calls = 0;
    const source = await openUrl(url, {
      headers: { authorization: 'Bearer x' },
      fetch: (address, init) => {
        calls++;
        return fetch(address, init);
      },
    });
    await source.read(100_000, 100_001);
    expect(seen).toEqual(['Bearer x', 'Bearer x']);
    expect(calls).toBe(2);
  });

  it('follows redirects for each part', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/model.bin') response.writeHead(302, { location: '/elsewhere' }).end();
      else good()(request, response);
    });
    expect(await (await openUrl(url)).read(70_000, 70_010)).toEqual(FILE.slice(70_000, 70_010));
  });

  it('reads a huge file by exact numbers', async () => {
    const size = 6 * 2 ** 40;
    const url = await serve((request, response) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${size}` });
      response.end(new Uint8Array(Number(to) - Number(from) + 1).fill(9));
    });
    const source = await openUrl(url);
    expect(source.size).toBe(size);
    expect(await source.read(size - 3, size)).toEqual(Uint8Array.of(9, 9, 9));
  });

  it.each<[string, Behaviour]>([
    ['another strong ETag, which If-Range turns into a whole file', { etag: '"v2"' }],
    ['another weak ETag', { etag: 'W/"v2"' }],
    ['another size', { file: new Uint8Array(300_000) }],
    ['a smaller size', { file: new Uint8Array(1000) }],
    ['another date', { headers: { 'last-modified': 'Tue, 02 Jan 2024 00:00:00 GMT' } }],
  ])('notices that the file changed: %s', async (_, later) => {
    let handler = good({
      etag: later.etag?.startsWith('W/') ? 'W/"v1"' : '"v1"',
      headers: { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' },
    });
    const source = await openUrl(await serve((request, response) => handler(request, response)));
    handler = good({ headers: { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' }, ...later });
    expect(await codeOf(source.read(100_000, 100_010))).toBe('Changed');
  });

  it.each<[string, SourceErrorCode, Handler]>([
    ['404', 'HttpStatus', (_, response) => response.writeHead(404).end('no')],
    ['500', 'HttpStatus', (_, response) => response.writeHead(500).end('no')],
    ['no ranges', 'RangesNotSupported', (_, response) => response.writeHead(200).end(FILE)],
    ['no Content-Range', 'UnusableResponse', (_, response) => response.writeHead(206).end(FILE.subarray(0, 65536))],
    [
      'another part than asked for',
      'UnusableResponse',
      (_, response) => response.writeHead(206, { 'content-range': 'bytes 5-9/200000' }).end('12345'),
    ],
    [
      'an unknown size',
      'UnusableResponse',
      (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-4/*' }).end('12345'),
    ],
    [
      'a part that ends beyond the file',
      'UnusableResponse',
      (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-9/5' }).end('1234567890'),
    ],
    [
      'more bytes than announced',
      'UnusableResponse',
      (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-4/5' }).end('123456789'),
    ],
    [
      'fewer bytes than announced',
      'IoError',
      (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-4/5' }).end('123'),
    ],
    [
      'a compressed part',
      'UnusableResponse',
      (_, response) =>
        response.writeHead(206, { 'content-range': 'bytes 0-4/5', 'content-encoding': 'br' }).end('12345'),
    ],
    ['a cut connection', 'IoError', (request) => request.socket.destroy()],
  ])('refuses a server that gives %s: %s', async (_, code, handler) => {
    expect(await codeOf(openUrl(await serve(handler)))).toBe(code);
  });

  it('refuses a part that is cut in the middle', async () => {
    let calls = 0;
    const source = await openUrl(
      await serve((request, response) => {
        if (calls++ === 0) return good()(request, response);
        response.writeHead(206, {
          'content-range': `bytes 100000-149999/${FILE.length}`,
          etag: '"v1"',
          'content-length': '50000',
        });
        response.write(FILE.subarray(100_000, 120_000), () => request.socket.destroy());
      }),
    );
    expect(await codeOf(source.read(100_000, 150_000))).toBe('IoError');
  });

  it('carries the status', async () => {
    const url = await serve((_, response) => response.writeHead(403).end());
    const error = await rejection(openUrl(url), SourceError);
    expect(error.status).toBe(403);
    expect(error.message).toContain('authorization');
  });

  it('takes the whole file where that was allowed', async () => {
    const url = await serve((_, response) => response.writeHead(200).end(FILE));
    const source = await openUrl(url, { withoutRanges: 'download' });
    expect(new Uint8Array(await source.read(100, 110))).toEqual(FILE.slice(100, 110));
    expect(await codeOf(openUrl(url, { withoutRanges: 'download', maxBytes: 1000 }))).toBe('TooLarge');
  });

  it('stops when aborted', async () => {
    const controller = new AbortController();
    const url = await serve(() => undefined);
    const opening = openUrl(url, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    await expect(openUrl(url, { signal: controller.signal })).rejects.toBe(reason);
  });

  it.each(['ftp://host/x', 'file:///etc/passwd', 'data:,x', 'no url', ''])('refuses the address %s', async (url) => {
    expect(await codeOf(openUrl(url))).toBe('InvalidArgument');
  });
});
