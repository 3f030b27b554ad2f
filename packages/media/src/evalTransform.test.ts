import { parseSafetensors } from '@saccade/weights';
import { describe, expect, it } from 'vitest';
import { centerCrop } from './crop.ts';
import { deitShortSide, evalTransform, shortSideSize } from './evalTransform.ts';
import type { ResizeFilter } from './filters.ts';
import { type PixelImage, toRgb } from './image.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from './normalize.ts';
import { resize } from './resize.ts';
import { roundHalfEven } from './rounding.ts';
import { errorOf, fixture, noise } from './testing/pixels.ts';

/** Largest error of the whole transform, relative to the largest value. The fixture itself is rounded to float32. */
const TOLERANCE = 1e-6;

describe.each(['bicubic_down', 'bicubic_up', 'bilinear_down', 'bilinear_up'])('prep_%s', (name) => {
  const file = parseSafetensors(fixture(`prep_${name}.safetensors`));
  const note = (key: string): string => {
    const value = file.metadata.get(key);
    if (value === undefined) throw new Error(`the fixture does not state ${key}`);
    return value;
  };
  const input = file.get('input_u8');
  const [height, width, channels] = input.shape as [number, number, number];
  const image: PixelImage = { data: input.data as Uint8Array, width, height, channels };
  const size = Number(note('size'));
  const filter = note('interpolation') as ResizeFilter;
  const shortSide = deitShortSide(size);

  it('resizes without a differing byte', () => {
    expect(shortSide).toBe(Number(note('resize_short_side')));
    const target = shortSideSize(width, height, shortSide);
    expect(`${target.height},${target.width}`).toBe(note('resized'));
    const resized = resize(image, { ...target, filter });
    const expected = file.get('resized_u8');
    expect([resized.height, resized.width, resized.channels]).toEqual(expected.shape);
    expect(Buffer.compare(resized.data, expected.data as Uint8Array)).toBe(0);
  });

  it('crops where the fixture says', () => {
    const { width: w, height: h } = shortSideSize(width, height, shortSide);
    expect(roundHalfEven((h - size) / 2)).toBe(Number(note('crop_top')));
    expect(roundHalfEven((w - size) / 2)).toBe(Number(note('crop_left')));
  });

  it('gives the tensor of the fixture', () => {
    expect(IMAGENET_MEAN.join()).toBe(note('mean'));
    expect(IMAGENET_STD.join()).toBe(note('std'));
    const { data, shape } = evalTransform({ size, filter })(image);
    expect(shape).toEqual([size, size, 3]);
    const expected = file.get('output');
    expect(expected.shape).toEqual([3, size, size]);
    let worst = 0;
    let largest = 0;
    for (let i = 0; i < data.length; i++) {
      // Ours is [H, W, C], the fixture [C, H, W].
      const value = Number(expected.data[(i % 3) * size * size + Math.floor(i / 3)]);
      worst = Math.max(worst, Math.abs(data[i]! - value));
      largest = Math.max(largest, Math.abs(value));
    }
    expect(worst / largest).toBeLessThan(TOLERANCE);
  });
});

describe('sizes', () => {
  it.each([
    [224, 256],
    [384, 438],
    [48, 54],
    [40, 45],
    [1, 1],
  ])('DeiT crops %i out of %i', (size, shortSide) => {
    expect(deitShortSide(size)).toBe(shortSide);
  });

  it.each([
    [150, 113, 54, 71, 54],
    [33, 40, 54, 54, 65],
    [7, 7, 5, 5, 5],
    // 256 * 500 / 375 = 341.33, rounded down
    [500, 375, 256, 341, 256],
  ])('%i x %i with short side %i: %i x %i', (width, height, shortSide, toWidth, toHeight) => {
    expect(shortSideSize(width, height, shortSide)).toEqual({ width: toWidth, height: toHeight });
  });

  it('takes the short side as a crop fraction, as timm states it', () => {
    const image = noise(60, 50, 3, 1);
    // floor(28 / 0.9) = 31
    expect(evalTransform({ size: 28, cropPct: 0.9 })(image)).toEqual(evalTransform({ size: 28, shortSide: 31 })(image));
  });
});

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [3.5, 4],
    [-0.5, -0],
    [-1.5, -2],
    [-2.5, -2],
    [2.4, 2],
    [2.6, 3],
    [7, 7],
    [0.49999999999999994, 0],
  ])('%d to %d', (x, expected) => {
    expect(roundHalfEven(x) + 0).toBe(expected + 0);
  });
});

describe('centerCrop', () => {
  /** One row of the numbers 0, 1, 2, ... */
  const row = (width: number): PixelImage => ({
    data: Uint8Array.from({ length: width }, (_, i) => i),
    width,
    height: 1,
    channels: 1,
  });

  it.each([
    ['even rest', 6, 4, 1],
    ['half a pixel to 0', 5, 4, 0],
    ['one and a half to 2', 7, 4, 2],
    ['two and a half to 2', 9, 4, 2],
    ['three and a half to 4', 11, 4, 4],
    ['nothing to cut', 4, 4, 0],
  ])('%s', (_, width, cropWidth, left) => {
    const { data } = centerCrop(row(width), { width: cropWidth, height: 1 });
    expect([...data]).toEqual([0, 1, 2, 3].map((i) => left + i));
  });

  it('keeps channels together and cuts rows, too', () => {
    const image = { data: Uint8Array.from({ length: 5 * 5 * 2 }, (_, i) => i), width: 5, height: 5, channels: 2 };
    // Offset (5 - 2) / 2 = 1.5, to 2: the pixel in row 2, column 2 starts at byte 24.
    expect([...centerCrop(image, 2).data]).toEqual([24, 25, 26, 27, 34, 35, 36, 37]);
  });

  it.each([0, -1, 1.5, Number.NaN, 7])('refuses size %d', (size) => {
    expect(errorOf(() => centerCrop(noise(6, 6, 1, 1), size)).code).toBe('InvalidOption');
  });
});

describe('toRgb', () => {
  it('drops alpha and repeats grey', () => {
    const rgba = { data: Uint8ClampedArray.of(1, 2, 3, 0, 4, 5, 6, 255), width: 2, height: 1, channels: 4 };
    expect(toRgb(rgba)).toEqual({ data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 1, channels: 3 });
    const grey = { data: Uint8Array.of(7, 8), width: 1, height: 2, channels: 1 };
    expect([...toRgb(grey).data]).toEqual([7, 7, 7, 8, 8, 8]);
    const greyAlpha = { data: Uint8Array.of(7, 0), width: 1, height: 1, channels: 2 };
    expect([...toRgb(greyAlpha).data]).toEqual([7, 7, 7]);
  });

  it('returns RGB as it is and refuses what is no image', () => {
    const rgb = noise(2, 2, 3, 1);
    expect(toRgb(rgb)).toBe(rgb);
    expect(errorOf(() => toRgb({ ...rgb, width: 3 })).code).toBe('InvalidImage');
  });
});

describe('evalTransform refuses', () => {
  it.each([
    ['size 0', { size: 0 }, /size/],
    ['both rules', { shortSide: 256, cropPct: 0.875 }, /not both/],
    ['a crop fraction above 1', { cropPct: 1.1 }, /cropPct/],
    ['a crop fraction of NaN', { cropPct: Number.NaN }, /cropPct/],
    ['a short side below the crop', { size: 224, shortSide: 223 }, /223.*224/],
    ['a fractional short side', { size: 224, shortSide: 256.5 }, /256\.5/],
    ['mean and std of unequal length', { mean: [0.5], std: [0.5, 0.5] }, /mean and std/],
    ['no channels', { mean: [], std: [] }, /mean and std/],
    ['a single number as mean', { mean: 0.5, std: 0.5 }, /arrays/],
    ['std 0', { mean: [0, 0, 0], std: [1, 0, 1] }, /channel 1.*std 0/],
    ['mean NaN', { mean: [Number.NaN, 0, 0], std: [1, 1, 1] }, /channel 0/],
  ])('%s', (_, options, message) => {
    const error = errorOf(() => evalTransform(options as never));
    expect(error.code).toBe('InvalidOption');
    expect(error.message).toMatch(message);
  });

  it('an unknown filter, before the first image', () => {
    expect(errorOf(() => evalTransform({ filter: 'area' as never })).message).toMatch(/"area"/);
  });

  it('an image with other channels than mean and std', () => {
    const error = errorOf(() => evalTransform()(noise(4, 4, 4, 1)));
    expect(error.code).toBe('InvalidImage');
    expect(error.message).toMatch(/4 channels.*toRgb/);
  });

  it('an image so narrow that its long side would explode', () => {
    const sliver = { data: new Uint8Array(30_000), width: 1, height: 10_000, channels: 3 };
    expect(errorOf(() => evalTransform()(sliver)).code).toBe('TooLarge');
  });
});
