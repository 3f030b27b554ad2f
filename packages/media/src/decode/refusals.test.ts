import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { describeInBrowser } from '@saccade/browser';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecodeError } from '../errors.ts';
import { decodeImage } from './node/decodeImage.ts';
import { loadImage } from './node/loadImage.ts';
import type { DecodeImageOptions } from './options.ts';
import { CASES, fileOf } from './testing/cases.ts';
import { digest } from './testing/digest.ts';
import { outcome } from './testing/outcome.ts';

function chunk(type: string, body: Uint8Array): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, sum]);
}

/** A PNG file of 8-bit RGB whose header may promise anything. */
function png(width: number, height: number, data: Uint8Array, others: readonly Buffer[] = []): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk('IHDR', header), ...others, chunk('IDAT', data), chunk('IEND', new Uint8Array(0))];
  return new Uint8Array(Buffer.concat([signature, ...chunks]));
}

/** Without its last twentieth: these files are mostly header. */
const part = (name: string) => fileOf(name).subarray(0, 0.95 * fileOf(name).length);
const rows = (count: number, width: number, filter = 0) =>
  deflateSync(Buffer.concat(Array.from({ length: count }, () => Buffer.from([filter, ...new Uint8Array(3 * width)]))));
const changed = (file: Uint8Array, at: number, value: number) =>
  Uint8Array.from(file, (byte, i) => (i === at ? value : byte));

const FILES: readonly [string, string, Uint8Array][] = [
  ['no bytes', 'UnknownFormat', new Uint8Array(0)],
  ['a text', 'UnknownFormat', new TextEncoder().encode('an image is worth a thousand words')],
  ['a GIF file', 'UnknownFormat', new TextEncoder().encode('GIF89a......')],
  ['the first three bytes of a JPEG file', 'Truncated', fileOf('jpeg 4:4:4').subarray(0, 3)],
  ['the header of a JPEG file', 'Truncated', fileOf('jpeg 4:4:4').subarray(0, 200)],
  ['a JPEG file whose segments do not follow each other', 'Corrupt', changed(fileOf('jpeg 4:4:4'), 5, 3)],
  ['a part of a PNG file', 'Truncated', part('png colour 2 depth 8')],
  ['a part of a WebP file', 'Truncated', part('webp lossy')],
  ['a PNG header that promises 40,000 x 40,000 pixels', 'TooLarge', png(40_000, 40_000, rows(1, 1))],
  ['a PNG header that promises 2^31 pixels', 'Corrupt', png(2 ** 31, 1, rows(1, 1))],
  ['a PNG header that promises more than its bytes can hold', 'Truncated', png(9000, 9000, rows(3, 10))],
  ['a PNG file with too few rows', 'Truncated', png(10, 10, rows(9, 10))],
  ['a PNG file with an unknown filter', 'Corrupt', png(4, 4, rows(4, 4, 9))],
  ['a PNG file whose pixels are no zlib stream', 'Corrupt', png(4, 4, new Uint8Array(60).fill(7))],
  ['a PNG file with two headers', 'Corrupt', png(4, 4, rows(4, 4), [chunk('IHDR', new Uint8Array(13))])],
  ['a PNG header with a wrong checksum', 'Corrupt', changed(fileOf('png colour 2 depth 8'), 19, 38)],
];

function refuses(
  decoded: (file: Uint8Array, options: DecodeImageOptions) => Promise<string>,
  decoder: 'sharp' | 'wasm' | 'native',
) {
  it.each(FILES)('refuses %s: %s', async (_, code, file) => {
    expect(await decoded(file, { decoder })).toBe(code);
  });

  it.each(['jpeg 4:2:0', 'jpeg progressive', 'jpeg grey'])(
    'refuses a part of %s, and decodes the next file',
    async (name) => {
      expect(await decoded(part(name), { decoder })).toBe('Truncated');
      expect(await decoded(fileOf(name), { decoder })).toContain(CASES.find((image) => image.name === name)?.rgb);
    },
  );

  it('takes as many pixels as it is told', async () => {
    expect(await decoded(fileOf('jpeg 4:4:4'), { decoder, maxPixels: 37 * 23 })).toContain('37 x 23 x 3');
    expect(await decoded(fileOf('jpeg 4:4:4'), { decoder, maxPixels: 37 * 23 - 1 })).toBe('TooLarge');
  });

  it.each<[string, object]>([
    ['channels: 2', { channels: 2 }],
    ['an unknown decoder', { decoder: 'turbo' }],
    ['maxPixels: 0', { maxPixels: 0 }],
    ['maxPixels: Infinity', { maxPixels: Number.POSITIVE_INFINITY }],
  ])('refuses the option %s', async (_, options) => {
    expect(await decoded(fileOf('jpeg 4:4:4'), { decoder, ...options })).toBe('InvalidArgument');
  });
}

describe.each(['sharp', 'wasm'] as const)('decodeImage in Node with %s', (decoder) => {
  refuses((file, options) => outcome(decodeImage, file, options), decoder);

  it('throws nothing but its own error, whatever byte is wrong', { timeout: 120_000 }, async () => {
    const names = ['jpeg progressive', 'webp lossless', 'png colour 3 depth 4 interlaced'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(255), fc.nat(3), async (name, at, value, cut) => {
        const file = fileOf(name);
        const broken = changed(file, at % file.length, value).subarray(0, file.length - cut);
        await decodeImage(broken, { decoder }).catch((error: unknown) => expect(error).toBeInstanceOf(DecodeError));
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

describe('decodeImage in Node', () => {
  it('has no native decoder', async () => {
    expect(await outcome(decodeImage, fileOf('jpeg grey'), { decoder: 'native' })).toBe('InvalidArgument');
  });

  it('stops when aborted, with the reason', async () => {
    const reason = new Error('enough');
    for (const name of ['jpeg 4:4:4', 'png colour 2 depth 8']) {
      await expect(decodeImage(fileOf(name), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const controller = new AbortController();
      const decoding = decodeImage(fileOf(name), { signal: controller.signal });
      controller.abort(reason);
      await expect(decoding).rejects.toBe(reason);
    }
  });

  it('takes buffers, views and Blobs, and refuses the rest', async () => {
    const file = fileOf('png colour 2 depth 8');
    const expected = await outcome(decodeImage, file, {});
    const shifted = new Uint8Array([1, ...file]).subarray(1);
    for (const input of [file.slice().buffer, Buffer.from(file), new Blob([file.slice()]), shifted]) {
      expect(await outcome(decodeImage, input as Uint8Array, {})).toBe(expected);
    }
    for (const input of ['file.png', 3, null, undefined, {}, [1, 2]]) {
      expect(await outcome(decodeImage, input as never, {})).toBe('InvalidArgument');
    }
  });

  it('gives an array of its own, which a worker can have', async () => {
    for (const name of ['jpeg 4:4:4', 'png colour 2 depth 8', 'webp lossy']) {
      const { data } = await decodeImage(fileOf(name));
      expect([data.byteOffset, data.buffer.byteLength]).toEqual([0, data.length]);
      structuredClone(data, { transfer: [data.buffer] });
      expect(data.length).toBe(0);
    }
  });
});

describe('loadImage in Node', () => {
  const name = 'jpeg 4:4:4';
  let directory: string;
  const server = createServer((request, response) => {
    if (request.url === '/image.jpg') response.end(fileOf(name));
    else if (request.url === '/endless') response.write(new Uint8Array(2000));
    else response.writeHead(404).end();
  });
  const at = (path: string) => new URL(path, `http://localhost:${(server.address() as AddressInfo).port}`);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'saccade-media-'));
    await writeFile(join(directory, 'image.jpg'), fileOf(name));
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  });

  it('reads paths, URLs and Blobs', async () => {
    const path = join(directory, 'image.jpg');
    for (const source of [path, pathToFileURL(path), at('/image.jpg'), new Blob([fileOf(name)])]) {
      expect(await digest((await loadImage(source)).data)).toBe(CASES.find((image) => image.name === name)?.rgb);
    }
  });

  it('reports what cannot be read, in time', async () => {
    const failure = (source: string | URL, options = {}) =>
      outcome((_, given) => loadImage(source, given), new Uint8Array(0), options);
    expect(await failure(join(directory, 'none.jpg'))).toBe('IoError');
    expect(await failure(at('/none.jpg'))).toBe('IoError');
    expect(await failure(new URL('http://localhost:1/'))).toBe('IoError');
    expect(await failure(at('/endless'), { maxBytes: 1000 })).toBe('TooLarge');
    await expect(loadImage(at('/endless'), { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

type Exported = typeof import('./testing/page.ts');

await describeInBrowser<Exported>(
  'decodeImage',
  new URL('./testing/page.ts', import.meta.url),
  (page) => {
    describe.each(['native', 'wasm'] as const)('with %s', (decoder) => {
      refuses((file, options) => page().call('decoded', file, options), decoder);
    });

    it('fetches', async () => {
      expect(await page().call('loaded', '/image.jpg')).toContain(CASES.find(({ name }) => name === 'jpeg 4:4:4')?.rgb);
      expect(await page().call('loaded', '/none.jpg')).toBe('IoError');
      expect(await page().call('loaded', '/image.jpg', { decoder: 'sharp' })).toBe('InvalidArgument');
    });
  },
  {
    serve: (request, response) => {
      if (request.url === '/image.jpg') response.end(fileOf('jpeg 4:4:4'));
      else response.writeHead(404).end();
    },
  },
);
