import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetError } from '../errors.ts';
import { parsePolygons, polygonMask } from './polygons.ts';
import { compressRle, decodeRle, encodeRle, type Mask, parseRle, rleArea } from './rle.ts';

interface Golden {
  readonly height: number;
  readonly width: number;
  readonly counts: string;
}

/** What pycocotools 2.0.11 computed; see `fixtures/make_masks.py`. */
const golden = JSON.parse(readFileSync(new URL('fixtures/masks.json', import.meta.url), 'utf8')) as {
  readonly outlines: readonly (Golden & { readonly polygons: number[][]; readonly area: number })[];
  readonly masks: readonly (Golden & { readonly rows: readonly string[] })[];
  readonly large: Golden & { readonly area: number };
};

const maskOf = ({ height, width, rows }: (typeof golden.masks)[number]): Mask => ({
  height,
  width,
  data: Uint8Array.from(rows.join(''), Number),
});
const rleOf = ({ height, width, counts }: Golden) => parseRle({ size: [height, width], counts }, 'mask');

describe('run lengths', () => {
  it.each(golden.masks.map((mask, i) => [i, mask] as const))(
    'are those of pycocotools, both ways: mask %i',
    (_, mask) => {
      expect(decodeRle(rleOf(mask))).toEqual(maskOf(mask));
      expect(compressRle(encodeRle(maskOf(mask)))).toBe(mask.counts);
      expect(rleArea(rleOf(mask))).toBe(mask.rows.join('').replaceAll('0', '').length);
    },
  );

  it('takes long runs', () => {
    const rle = rleOf(golden.large);
    expect(rleArea(rle)).toBe(golden.large.area);
    expect(compressRle(rle)).toBe(golden.large.counts);
    expect(compressRle(encodeRle(decodeRle(rle)))).toBe(golden.large.counts);
  });

  it('go down the columns, zeros first', () => {
    const { data } = decodeRle(parseRle({ size: [2, 3], counts: [1, 2, 3] }, 'mask'));
    expect([...data]).toEqual([0, 1, 0, 1, 0, 0]);
    expect([...encodeRle({ height: 1, width: 2, data: Uint8Array.of(1, 0) }).counts]).toEqual([0, 1, 1]);
  });

  it('come back as they were, as text and as masks', () => {
    const mask = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 })).chain(([height, width]) =>
      fc
        .array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width })
        .map((values) => ({
          height,
          width,
          data: Uint8Array.from(values),
        })),
    );
    fc.assert(
      fc.property(mask, (original) => {
        const rle = encodeRle(original);
        expect(decodeRle(rle)).toEqual(original);
        expect(rleOf({ ...original, counts: compressRle(rle) })).toEqual(rle);
      }),
    );
  });

  it.each([
    ['too few', { size: [2, 3], counts: [1, 2] }, /runs of 6 pixels, 2 x 3, got runs of 3/],
    ['too many', { size: [2, 3], counts: [1, 2, 4] }, /runs of 6 pixels/],
    ['negative', { size: [2, 3], counts: [1, -2, 7] }, /integers >= 0/],
    ['broken', { size: [2, 3], counts: [1.5, 4.5] }, /integers >= 0/],
    ['none', { size: [2, 3] }, /a list of integers >= 0, or as text, got undefined/],
    ['a bomb', { size: [2 ** 20, 2 ** 20], counts: [2 ** 40] }, /pixels in all/],
    ['no size', { counts: [6] }, /a height and width/],
    ['a size of text', { size: ['2', '3'], counts: [6] }, /a height and width/],
    ['nothing', null, /a height and width/],
    ['text that ends within a run', { size: [2, 3], counts: 'o' }, /other text at character 1/],
    ['other text', { size: [2, 3], counts: '6 ' }, /other text at character 1/],
    ['text of a negative run', { size: [2, 3], counts: 'N' }, /runs of 0 to 6 pixels, got one of -2/],
    ['text of a long run', { size: [2, 3], counts: 'oooo0' }, /runs of 0 to 6 pixels/],
    ['text of an endless run', { size: [2, 3], counts: 'o'.repeat(100) }, /other text/],
  ])('refuse counts that are %s', (_, value, message) => {
    const parse = () => parseRle(value, 'annotation 3');
    expect(parse).toThrow(DatasetError);
    expect(parse).toThrow(expect.objectContaining({ code: 'mask' }));
    expect(parse).toThrow(message);
  });

  it('gives a mask or a typed error for any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 9 }), (counts, side) => {
        try {
          expect(decodeRle(rleOf({ height: side, width: side, counts })).data).toHaveLength(side * side);
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
    );
  });
});

describe('polygonMask', () => {
  it.each(golden.outlines.map((outline, i) => [i, outline] as const))(
    'fills as pycocotools does: outline %i',
    (_, outline) => {
      const mask = polygonMask(outline.polygons, outline);
      expect(compressRle(encodeRle(mask))).toBe(outline.counts);
      expect(mask.data.reduce((a, b) => a + b, 0)).toBe(outline.area);
    },
  );

  it('fills the pixels whose middle lies inside a rectangle', () => {
    const { data } = polygonMask([[1, 1, 4, 1, 4, 3, 1, 3]], { height: 4, width: 5 });
    expect(Array.from({ length: 4 }, (_, y) => [...data.subarray(5 * y, 5 * y + 5)].join(''))).toEqual([
      '00000',
      '01110',
      '01110',
      '00000',
    ]);
  });

  it.each([
    ['a point', [[1, 2, 3, 4]], /at least three points, got 4 numbers/],
    ['half a point', [[1, 2, 3, 4, 5, 6, 7]], /x and y/],
    ['text', [['1', 2, 3, 4, 5, 6]], /finite numbers/],
    ['no list', { a: 1 }, /a list of lists/],
    ['a list of numbers', [1, 2, 3], /finite numbers/],
  ])('takes no %s for outlines', (_, value, message) => {
    const parse = () => parsePolygons(value, 'annotation 3');
    expect(parse).toThrow(expect.objectContaining({ name: 'DatasetError', code: 'mask' }));
    expect(parse).toThrow(message);
  });

  it('refuses outlines that go on for ever', () => {
    const far = () => polygonMask([[0, 0, 1e9, 1, 0, 2]], { height: 4, width: 4 });
    expect(far).toThrow(expect.objectContaining({ name: 'DatasetError', code: 'mask' }));
    expect(() => polygonMask([[0, 0, 1e300, 1, 0, 2]], { height: 4, width: 4 })).toThrow(DatasetError);
    expect(() => polygonMask([], { height: 2 ** 20, width: 2 ** 20 })).toThrow(DatasetError);
  });
});
