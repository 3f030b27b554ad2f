import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResizeFilter } from './filters.ts';
import { MAX_PIXELS, type NewImage, type PixelImage } from './image.ts';
import { resize } from './resize.ts';
import { errorOf, fixture, noise } from './testing/pixels.ts';

const FILTERS: readonly ResizeFilter[] = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'];

interface PillowResults {
  readonly longest: number;
  readonly rows: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly size: readonly [number, number, number, number];
    readonly channels: number;
    readonly seed: number;
    readonly extreme: boolean;
    readonly digests: Readonly<Record<string, string>>;
  }[];
}

const pillow = JSON.parse(new TextDecoder().decode(fixture('pillow_resize.json'))) as PillowResults;

function shortDigest(...parts: readonly (Uint8Array | Uint8ClampedArray)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}

describe.each(FILTERS)('%s gives the bytes of Pillow', (filter) => {
  it.each(pillow.cases)('$size, $channels channels, extreme $extreme', ({ size, channels, seed, extreme, digests }) => {
    const [fromWidth, fromHeight, width, height] = size;
    const { data } = resize(noise(fromWidth, fromHeight, channels, seed, extreme), { width, height, filter });
    expect(shortDigest(data)).toBe(digests[filter]);
  });

  it('for every pair of lengths from 1 to 40', () => {
    const lengths = Array.from({ length: pillow.longest }, (_, i) => i + 1);
    const results = lengths.flatMap((from) => {
      const row = noise(from, 1, 1, from);
      return lengths.map((width) => resize(row, { width, height: 1, filter }).data);
    });
    expect(shortDigest(...results)).toBe(pillow.rows[filter]);
  });
});

const side = fc.integer({ min: 1, max: 24 });
const anyFilter = fc.constantFrom(...FILTERS);
const anyImage = fc
  .tuple(side, side, fc.integer({ min: 1, max: 4 }), fc.nat())
  .map(([width, height, channels, seed]) => noise(width, height, channels, seed));

/** The image mirrored left to right (x), top to bottom (y) or both. */
function mirrored({ data, width, height, channels }: PixelImage, axis: 'x' | 'y' | 'both'): NewImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = axis === 'y' ? x : width - 1 - x;
      const fromY = axis === 'x' ? y : height - 1 - y;
      for (let c = 0; c < channels; c++) {
        out[(y * width + x) * channels + c] = data[(fromY * width + fromX) * channels + c]!;
      }
    }
  }
  return { data: out, width, height, channels };
}

function largestDifference(a: NewImage, b: NewImage): number {
  return a.data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b.data[i]!)), 0);
}

describe('properties', () => {
  it('a constant image stays constant', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.nat({ max: 255 }), anyFilter, (w, h, width, height, value, filter) => {
        const image = { data: new Uint8Array(w * h * 2).fill(value), width: w, height: h, channels: 2 };
        const { data } = resize(image, { width, height, filter });
        expect(data).toEqual(new Uint8Array(width * height * 2).fill(value));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('the same size gives the same pixels, in an array of their own', () => {
    fc.assert(
      fc.property(anyImage, anyFilter, (image, filter) => {
        const same = resize(image, { width: image.width, height: image.height, filter });
        expect(same).toEqual(image);
        expect(same.data.buffer).not.toBe(image.data.buffer);
      }),
      { numRuns: 100, seed: 2 },
    );
  });

  it('mirroring before or after is the same, up to one level where a weight was rounded the other way', () => {
    // Symmetric windows only: the ends of box and nearest are open on one side and pick another pixel when mirrored.
    const symmetric = fc.constantFrom<ResizeFilter>('bilinear', 'hamming', 'bicubic', 'lanczos');
    fc.assert(
      fc.property(
        anyImage,
        side,
        side,
        symmetric,
        fc.constantFrom('x', 'y', 'both'),
        (image, width, height, filter, axis) => {
          const before = resize(mirrored(image, axis), { width, height, filter });
          const after = mirrored(resize(image, { width, height, filter }), axis);
          expect(largestDifference(before, after)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 300, seed: 3 },
    );
  });

  it('channels do not mix', () => {
    fc.assert(
      fc.property(anyImage, side, side, anyFilter, (image, width, height, filter) => {
        const together = resize(image, { width, height, filter }).data;
        for (let c = 0; c < image.channels; c++) {
          const ofChannel = (_: number, i: number) => i % image.channels === c;
          const plane = { ...image, data: Uint8Array.from(image.data).filter(ofChannel), channels: 1 };
          expect(Uint8Array.from(together).filter(ofChannel)).toEqual(resize(plane, { width, height, filter }).data);
        }
      }),
      { numRuns: 100, seed: 4 },
    );
  });

  it('leaves the given image as it was', () => {
    const image = noise(8, 8, 3, 5);
    const copy = Uint8Array.from(image.data);
    for (const filter of FILTERS) resize(image, { width: 5, height: 9, filter });
    expect(image.data).toEqual(copy);
  });
});

describe('refusals', () => {
  const image = noise(4, 3, 3, 1);
  const to = { width: 2, height: 2 };

  it.each([
    ['width 0', { ...image, width: 0 }, /width must be a positive integer.*got 0/],
    ['height NaN', { ...image, height: Number.NaN }, /height.*NaN/],
    ['empty data', { ...image, data: new Uint8Array(0) }, /0 bytes.*4 x 3.*36/],
    ['canvas pixels said to be RGB', { ...image, data: new Uint8ClampedArray(48) }, /48 bytes.*ImageData/],
    ['five channels', { ...image, channels: 5 }, /1 to 4, got 5/],
    ['no channels', { ...image, channels: undefined }, /undefined/],
    ['floats', { ...image, data: new Float32Array(36) }, /Float32Array/],
    ['a plain array', { ...image, data: new Array(36).fill(0) }, /object/],
  ])('an image with %s', (_, wrong, message) => {
    const error = errorOf(() => resize(wrong as PixelImage, to));
    expect(error.code).toBe('InvalidImage');
    expect(error.message).toMatch(message);
  });

  it.each([
    ['width 0', { width: 0, height: 2 }, 'InvalidOption', /width.*got 0/],
    ['height -1', { width: 2, height: -1 }, 'InvalidOption', /height.*-1/],
    ['half a pixel', { width: 2.5, height: 2 }, 'InvalidOption', /2\.5/],
    ['infinite height', { width: 2, height: Number.POSITIVE_INFINITY }, 'InvalidOption', /Infinity/],
    ['unknown filter', { ...to, filter: 'area' }, 'InvalidOption', /"area"/],
    ['filter from Object.prototype', { ...to, filter: 'constructor' }, 'InvalidOption', /"constructor"/],
    ['too many pixels', { width: 100_000, height: 100_000 }, 'TooLarge', new RegExp(String(MAX_PIXELS))],
    ['a side too long', { width: 2 ** 20 + 1, height: 1 }, 'TooLarge', /1048577 x 1/],
  ])('a request for %s', (_, options, code, message) => {
    const error = errorOf(() => resize(image, options as never));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('a tall image that would be wide between the passes', () => {
    const tall = { data: new Uint8Array(100_000), width: 1, height: 100_000, channels: 1 };
    expect(errorOf(() => resize(tall, { width: 1000, height: 10 })).message).toMatch(/between the two passes/);
  });
});
