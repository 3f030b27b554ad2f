import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLabelledImages } from './digits.ts';
import { DatasetError, type DatasetErrorCode } from './errors.ts';
import { readIdx } from './idx.ts';

function idx(shape: readonly number[], data: ArrayLike<number>, magic = 0x0800 | shape.length): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  shape.forEach((size, dimension) => {
    view.setUint32(4 + 4 * dimension, size);
  });
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

function codeOf(action: () => unknown): DatasetErrorCode | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof DatasetError) return error.code;
    throw error;
  }
  return undefined;
}

describe('readIdx', () => {
  it('reads what was written, at any offset of the underlying buffer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
        fc.nat(9),
        (shape, offset) => {
          const data = Uint8Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => (i * 37) % 256);
          const file = idx(shape, data);
          const padded = new Uint8Array(file.length + 20);
          padded.set(file, offset);
          expect(readIdx(padded.subarray(offset, offset + file.length))).toEqual({ shape, data });
        },
      ),
    );
  });

  it('makes no copy', () => {
    const file = idx([3], [1, 2, 3]);
    expect(readIdx(file).data.buffer).toBe(file.buffer);
  });

  it.each<[string, DatasetErrorCode, Uint8Array]>([
    ['no bytes', 'idx-truncated', new Uint8Array(0)],
    ['half a magic number', 'idx-truncated', Uint8Array.of(0, 0)],
    ['a header without sizes', 'idx-truncated', Uint8Array.of(0, 0, 8, 3, 0, 0)],
    ['fewer elements than promised', 'idx-truncated', idx([2, 3], [1, 2, 3, 4, 5])],
    ['more elements than promised', 'idx-trailing', idx([2, 3], [1, 2, 3, 4, 5, 6, 7])],
    ['a size of zero', 'idx-dimensions', idx([0, 3], [])],
    ['a size beyond the file', 'idx-dimensions', idx([0xffffffff, 0xffffffff, 0xffffffff], [1, 2])],
    ['sizes whose product is beyond the file', 'idx-truncated', idx([200, 200, 200], new Uint8Array(1000))],
    ['floats', 'idx-magic', idx([1], [1, 2, 3, 4], 0x0d01)],
    ['no dimensions', 'idx-magic', idx([], [1], 0x0800)],
    ['gzip', 'idx-magic', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0)],
  ])('refuses %s', (_, code, bytes) => {
    expect(codeOf(() => readIdx(bytes))).toBe(code);
  });

  it('refuses another rank than asked for, and names the file', () => {
    expect(() => readIdx(idx([3], [1, 2, 3]), { rank: 3, source: 'train images' })).toThrow(
      'train images: expected an IDX file of unsigned bytes with 3 dimensions, got a file that begins with 0x00000801.',
    );
  });

  it('answers any bytes with an array or a DatasetError', () => {
    const mutated = fc
      .tuple(fc.constant(idx([2, 3], [1, 2, 3, 4, 5, 6])), fc.nat(17), fc.nat(255), fc.nat(18))
      .map(([file, at, value, length]) => {
        const copy = file.slice(0, length);
        copy[at] = value;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (bytes) => {
        if (codeOf(() => readIdx(bytes)) === undefined) {
          const { shape, data } = readIdx(bytes);
          expect(shape.reduce((a, b) => a * b)).toBe(data.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('readLabelledImages', () => {
  const images = idx([2, 1, 2], [1, 2, 3, 4]);

  it('joins images and labels', () => {
    expect(readLabelledImages(images, idx([2], [7, 9]))).toEqual({
      count: 2,
      height: 1,
      width: 2,
      images: Uint8Array.of(1, 2, 3, 4),
      labels: Uint8Array.of(7, 9),
    });
  });

  it('refuses labels of another count or that are no digits', () => {
    expect(codeOf(() => readLabelledImages(images, idx([3], [1, 2, 3])))).toBe('labels');
    expect(codeOf(() => readLabelledImages(images, idx([2], [1, 10])))).toBe('labels');
  });
});
