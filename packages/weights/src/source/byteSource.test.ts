import { describe, expect, it } from 'vitest';
import { rejection } from '../testing/rejection.ts';
import { type ByteSource, byteSource, plainBytes, readExactly, type SourceInput } from './byteSource.ts';
import { SourceError } from './errors.ts';
import { spoolStream } from './spool.ts';

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i);

describe('byteSource', () => {
  it.each<[string, SourceInput]>([
    ['a Uint8Array', BYTES],
    ['a view in the middle of a buffer', new Uint8Array([9, ...BYTES, 9]).subarray(1, 101)],
    ['a Node Buffer', Buffer.from(BYTES)],
    ['an ArrayBuffer', BYTES.slice().buffer],
    ['a Blob', new Blob([BYTES])],
    ['a File', new File([BYTES], 'x')],
    ['a ByteSource', { size: 100, read: async (start, end) => BYTES.slice(start, end).buffer }],
  ])('reads %s', async (_, input) => {
    const source = byteSource(input);
    expect(source.size).toBe(100);
    for (const [start, end] of [
      [0, 100],
      [3, 7],
      [99, 100],
      [5, 5],
      [100, 100],
    ] as const) {
      expect(await readExactly(source, start, end)).toEqual(BYTES.slice(start, end));
    }
  });

  it('gives views of memory, not copies', async () => {
    const bytes = await byteSource(BYTES).read(10, 20);
    expect(plainBytes(bytes).buffer).toBe(BYTES.buffer);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a string', 'model.pth'],
    ['a number', 3],
    ['an object without size', { read: async () => BYTES }],
    ['an object with size only', { size: 3 }],
    ['a size beyond 2^53', { size: 2 ** 53, read: async () => BYTES }],
    ['a fractional size', { size: 1.5, read: async () => BYTES }],
    ['a list of numbers', [1, 2, 3]],
  ])('refuses %s', (_, input) => {
    expect(() => byteSource(input as SourceInput)).toThrow(SourceError);
  });
});

describe('readExactly', () => {
  const sourceOf = (read: ByteSource['read']): ByteSource => ({ size: 50, read });

  it.each([
    [-1, 3],
    [4, 3],
    [0, 51],
    [Number.NaN, 3],
    [0, Number.NaN],
  ])('refuses bytes %s to %s of 50', async (start, end) => {
    const source = sourceOf(async () => BYTES);
    expect((await rejection(readExactly(source, start, end), SourceError)).code).toBe('OutOfBounds');
  });

  it.each<[string, string, ByteSource['read']]>([
    ['fewer bytes', 'ShortRead', async () => new Uint8Array(2)],
    ['more bytes', 'ShortRead', async () => new Uint8Array(4)],
    ['no bytes', 'IoError', async () => 'abc' as never],
    ['a plain error', 'IoError', () => Promise.reject(new Error('gone'))],
    [
      'an exception',
      'IoError',
      () => {
        throw new TypeError('gone');
      },
    ],
    ['an error of ours', 'Closed', () => Promise.reject(new SourceError('Closed', 'x'))],
  ])('reports a source that gives %s: %s', async (_, code, read) => {
    expect((await rejection(readExactly(sourceOf(read), 0, 3), SourceError)).code).toBe(code);
  });

  it('hands an abort through', async () => {
    const reason = new DOMException('enough', 'AbortError');
    await expect(
      readExactly(
        sourceOf(() => Promise.reject(reason)),
        0,
        3,
      ),
    ).rejects.toBe(reason);
  });

  it('notices that a buffer was transferred', async () => {
    const buffer = BYTES.slice().buffer;
    const source = byteSource(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    expect((await rejection(readExactly(source, 0, 3), SourceError)).code).toBe('Changed');
  });
});

/** A stream of `count` chunks of 1000 bytes, all of them the same memory, as some producers do. */
function chunks(count: number): ReadableStream<Uint8Array> & { cancelled: () => boolean } {
  const chunk = new Uint8Array(1000);
  let sent = 0;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (sent === count) return controller.close();
        controller.enqueue(chunk.fill(++sent));
      },
      cancel: () => {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return Object.assign(stream, { cancelled: () => cancelled });
}

describe('spoolStream', () => {
  it('keeps every chunk', async () => {
    const progress: number[] = [];
    const source = await spoolStream(chunks(3), { onProgress: (bytes) => progress.push(bytes) });
    expect(source.size).toBe(3000);
    const bytes = await readExactly(source, 0, 3000);
    expect([bytes[0], bytes[999], bytes[1000], bytes[2999]]).toEqual([1, 1, 2, 3]);
    expect(progress).toEqual([1000, 2000, 3000]);
  });

  it('joins many parts', async () => {
    const large = new Uint8Array(20 * 2 ** 20).fill(7);
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => (++sent > 4 ? controller.close() : controller.enqueue(large)),
    });
    const source = await spoolStream(stream);
    expect(source.size).toBe(4 * large.length);
    expect(await readExactly(source, 3 * large.length - 1, 3 * large.length + 1)).toEqual(Uint8Array.of(7, 7));
  });

  it('stops and cancels at its limit', async () => {
    const stream = chunks(1000);
    expect((await rejection(spoolStream(stream, { maxBytes: 2999 }), SourceError)).code).toBe('TooLarge');
    expect(stream.cancelled()).toBe(true);
    expect((await spoolStream(chunks(3), { maxBytes: 3000 })).size).toBe(3000);
  });

  it('stops when aborted, also while the producer stalls', async () => {
    const controller = new AbortController();
    let cancelled: unknown;
    const stalled = new ReadableStream<Uint8Array>({
      cancel: (reason) => {
        cancelled = reason;
      },
    });
    const spooled = spoolStream(stalled, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(spooled).rejects.toBe(reason);
    expect(cancelled).toBe(reason);
    await expect(spoolStream(chunks(1), { signal: controller.signal })).rejects.toBe(reason);
  });

  it('reports a stream that fails, gives no bytes or is none', async () => {
    const failing = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error('cut')) });
    expect((await rejection(spoolStream(failing), SourceError)).code).toBe('IoError');
    const text = new ReadableStream({ start: (controller) => controller.enqueue('text') });
    expect((await rejection(spoolStream(text), SourceError)).code).toBe('InvalidArgument');
    expect((await rejection(spoolStream({} as never), SourceError)).code).toBe('InvalidArgument');
    const locked = chunks(1);
    locked.getReader();
    expect((await rejection(spoolStream(locked), SourceError)).code).toBe('InvalidArgument');
  });
});
