import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../source/byteSource.ts';
import { fileOf, fixture } from '../testing/bytes.ts';
import { SafetensorsError, TensorNotFoundError } from './errors.ts';
import { openSafetensors } from './open.ts';
import { parseSafetensors } from './parse.ts';

async function rejection(promise: Promise<unknown>): Promise<SafetensorsError> {
  const error = await promise.then(
    () => new Error('expected a SafetensorsError, the promise was fulfilled'),
    (reason: unknown) => reason,
  );
  if (error instanceof SafetensorsError) return error;
  throw error;
}

/** A source that records what was read of it. */
function recorded(bytes: Uint8Array): ByteSource & { reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    size: bytes.length,
    reads,
    read: async (start, end) => {
      reads.push([start, end]);
      return bytes.slice(start, end);
    },
  };
}

const TYPES = fixture('upstream_types.safetensors');

describe('openSafetensors', () => {
  it('gives what parseSafetensors gives, from a Blob', async () => {
    const lazy = await openSafetensors(new Blob([new Uint8Array(TYPES)]));
    const whole = parseSafetensors(TYPES);
    expect(lazy.names).toEqual(whole.names);
    expect([...lazy.metadata]).toEqual([...whole.metadata]);
    for (const name of whole.names) {
      expect(await lazy.get(name)).toEqual(whole.get(name));
      expect(Buffer.compare(await lazy.bytes(name), whole.bytes(name))).toBe(0);
      expect(lazy.info(name)).toEqual(whole.info(name));
    }
  });

  it('reads the header and then only the tensor asked for', async () => {
    const source = recorded(TYPES);
    const file = await openSafetensors(source);
    const headerEnd = file.info(file.names[0]!).byteOffset;
    expect(source.reads).toEqual([
      [0, 8],
      [8, headerEnd],
    ]);
    await file.get('int32');
    const { byteOffset, byteLength } = file.info('int32');
    expect(source.reads.slice(2)).toEqual([[byteOffset, byteOffset + byteLength]]);
  });

  it('reads tensors beyond 4 GiB by exact offsets', async () => {
    const far = 5 * 2 ** 30;
    const start = fileOf({
      large: { dtype: 'U8', shape: [far], data_offsets: [0, far] },
      last: { dtype: 'I32', shape: [1], data_offsets: [far, far + 4] },
    });
    const size = start.length + far + 4;
    const source: ByteSource = {
      size,
      read: async (from, to) => {
        if (to <= start.length) return start.slice(from, to);
        if (from === size - 4 && to === size) return Uint8Array.of(1, 2, 3, 4);
        throw new RangeError(`not in this test: ${from} to ${to}`);
      },
    };
    const file = await openSafetensors(source);
    expect(file.info('last').byteOffset).toBe(start.length + far);
    expect((await file.get('last')).data).toEqual(Int32Array.of(0x04030201));
    // A tensor that the source cannot deliver is a typed error, too.
    const error = await rejection(file.get('large'));
    expect(error.code).toBe('IoError');
    expect(error.cause).toBeInstanceOf(RangeError);
  });

  it('refuses before reading a header that cannot be', async () => {
    const source = recorded(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 123, 125));
    expect((await rejection(openSafetensors(source))).code).toBe('HeaderTooLarge');
    expect(source.reads).toEqual([[0, 8]]);
  });

  it.each([
    ['empty', 'HeaderTooSmall', new Uint8Array(0)],
    ['cut in the length', 'HeaderTooSmall', TYPES.subarray(0, 7)],
    ['cut in the header', 'InvalidHeaderLength', TYPES.subarray(0, 100)],
    ['cut in the data', 'MetadataIncompleteBuffer', TYPES.subarray(0, TYPES.length - 1)],
  ] as const)('refuses a file that is %s: %s', async (_, code, bytes) => {
    expect((await rejection(openSafetensors(recorded(bytes)))).code).toBe(code);
    expect((await rejection(openSafetensors(new Blob([new Uint8Array(bytes)])))).code).toBe(code);
  });

  it.each([
    ['gives fewer bytes', async () => new Uint8Array(3)],
    ['gives more bytes', async () => new Uint8Array(1000)],
    ['gives no bytes', async () => 'text' as never],
    ['rejects', async () => Promise.reject(new Error('connection lost'))],
    [
      'throws',
      () => {
        throw new Error('connection lost');
      },
    ],
  ])('reports a source that %s', async (_, read) => {
    expect((await rejection(openSafetensors({ size: 100, read }))).code).toBe('IoError');
  });

  it.each([Number.NaN, -1, 1.5, 2 ** 53, undefined])('refuses a source of size %s', async (size) => {
    const source = { size, read: async () => new Uint8Array(8) } as ByteSource;
    expect((await rejection(openSafetensors(source))).code).toBe('InvalidArgument');
  });

  it('names near tensors when one is missing', async () => {
    const file = await openSafetensors(recorded(TYPES));
    const error = await rejection(file.get('flaot32'));
    expect(error).toBeInstanceOf(TensorNotFoundError);
    expect(file.has('flaot32')).toBe(false);
  });
});
