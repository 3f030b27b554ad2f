import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PixelImage } from '../image.ts';
import { resize } from '../resize.ts';
import { errorOf, fixture, noise } from '../testing/pixels.ts';
import { type AffineFilter, type AffineMatrix, affine, rotate } from './affine.ts';
import { adjustBrightness, adjustContrast, adjustSaturation, adjustSharpness } from './enhance.ts';
import { adjustHue } from './hue.ts';
import { autoContrast, equalize, invert, posterize, solarize, solarizeAdd } from './tone.ts';

type Call = readonly [name: string, ...values: readonly unknown[]];

interface PillowResults {
  readonly cases: readonly {
    readonly size: readonly [width: number, height: number];
    readonly seed: number;
    readonly smooth: boolean;
    /** calls, each with the digest of the bytes that Pillow gave */
    readonly calls: readonly Call[];
  }[];
}

const { cases } = JSON.parse(new TextDecoder().decode(fixture('pillow_augment.json'))) as PillowResults;

const BY_FACTOR: Readonly<Record<string, (image: PixelImage, value: number) => PixelImage>> = {
  Brightness: adjustBrightness,
  Contrast: adjustContrast,
  Color: adjustSaturation,
  Sharpness: adjustSharpness,
  Hue: adjustHue,
  AutoContrast: autoContrast,
  Equalize: equalize,
  Invert: invert,
  Posterize: posterize,
  Solarize: solarize,
  SolarizeAdd: solarizeAdd,
};

function changed(image: PixelImage, [name, value, filter]: Call): PixelImage {
  const options = { filter: filter as AffineFilter, fill: [124, 116, 104] };
  if (name === 'Affine') return affine(image, value as AffineMatrix, options);
  if (name === 'Rotate') return rotate(image, value as number, options);
  return (BY_FACTOR[name] as (image: PixelImage, value: number) => PixelImage)(image, value as number);
}

describe.each([...Object.keys(BY_FACTOR), 'Affine', 'Rotate'])('%s', (name) => {
  it('gives the bytes of Pillow', () => {
    const wrong = cases.flatMap(({ size: [width, height], seed, smooth, calls }) => {
      const image = smooth ? resize(noise(7, 5, 3, seed), { width, height }) : noise(width, height, 3, seed);
      return calls
        .filter(([called]) => called === name)
        .filter((call) => {
          const digest = createHash('sha256').update(changed(image, call).data).digest('hex').slice(0, 16);
          return digest !== call.at(-1);
        })
        .map((call) => JSON.stringify({ width, height, smooth, call }));
    });
    expect(wrong).toEqual([]);
  });
});

describe('bad values', () => {
  const image = noise(4, 4, 3, 1);
  const grey = noise(4, 4, 1, 1);

  it.each([
    ['a negative factor', () => adjustBrightness(image, -1), 'InvalidOption', /factor must be a number >= 0, got -1/],
    ['a grey image', () => adjustSaturation(grey, 1), 'InvalidImage', /3 channels \(RGB\), got 1/],
    ['too many bits', () => posterize(image, 9), 'InvalidOption', /bits must be an integer from 0 to 8, got 9/],
    ['a hue beyond half a turn', () => adjustHue(image, 0.6), 'InvalidOption', /shift must be from -0.5 to 0.5/],
    ['a matrix with NaN', () => affine(image, [1, 0, Number.NaN, 0, 1, 0]), 'InvalidOption', /6 finite numbers/],
    ['a fill of one channel', () => rotate(image, 3, { fill: [0] }), 'InvalidOption', /fill must be 3 integers/],
    [
      'another filter',
      () => rotate(image, 3, { filter: 'box' as 'nearest' }),
      'InvalidOption',
      /nearest, bilinear, bicubic/,
    ],
  ] as const)('%s', (_, run, code, message) => {
    const error = errorOf(run);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});
