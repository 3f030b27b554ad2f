import type { Size } from '../clipCrops.ts';
import { ImageError } from '../errors.ts';
import { checkCount, type RandomSource } from '../frames.ts';
import type { ImageTensor } from '../normalize.ts';
import { roundHalfEven } from '../rounding.ts';
import { chance, drawnSeed, integer, normal, seededSource } from './draws.ts';
import { checkInterval, checkProbability } from './geometry.ts';

/** Options of {@link randomErasing}. */
export interface RandomErasingOptions {
  /** default 0.25, as DeiT */
  readonly probability?: number;
  /** what comes in the place: 0, the mean after normalisation; a normal value for each channel; or for each pixel. Default `pixel` */
  readonly mode?: 'zero' | 'color' | 'pixel';
  /** least and largest share of the area; default [0.02, 1/3] */
  readonly area?: readonly [number, number];
  /** least and largest height over width; default [0.3, 1/0.3] */
  readonly ratio?: readonly [number, number];
  /** most rectangles; each then has its share of the area; default 1 */
  readonly maxCount?: number;
}

/** A rectangle to erase, as plain data. */
export interface Erasure {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly mode: 'zero' | 'color' | 'pixel';
  /** of the values */
  readonly seed: number;
}

/**
 * Draws what is to be erased of a normalised picture or clip of this size: up to ten tries for each rectangle, of area
 * `uniform(area)` of the picture's and height over width `exp(uniform(log ratio))`.
 *
 * Source: timm's `RandomErasing`, after Zhong et al., arXiv 1708.04896.
 *
 * @throws ImageError InvalidOption for values that cannot be
 */
export function randomErasing(options: RandomErasingOptions = {}): (random: RandomSource, size: Size) => Erasure[] {
  const { probability = 0.25, mode = 'pixel', area = [0.02, 1 / 3], ratio = [0.3, 1 / 0.3], maxCount = 1 } = options;
  checkProbability('probability', probability);
  checkInterval('area', area);
  checkInterval('ratio', ratio);
  checkCount('maxCount', maxCount);
  if (!['zero', 'color', 'pixel'].includes(mode)) {
    throw new ImageError('InvalidOption', `mode must be 'zero', 'color' or 'pixel', got ${String(mode)}.`);
  }
  return (random, { width, height }) => {
    if (!chance(random, probability)) return [];
    const count = maxCount === 1 ? 1 : integer(random, 1, maxCount);
    return Array.from({ length: count }).flatMap(() => {
      for (let attempt = 0; attempt < 10; attempt++) {
        const target = (random.uniform(...area) * width * height) / count;
        const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
        const [h, w] = [roundHalfEven(Math.sqrt(target * aspect)), roundHalfEven(Math.sqrt(target / aspect))];
        if (w >= width || h >= height) continue;
        const top = integer(random, 0, height - h);
        const left = integer(random, 0, width - w);
        return [{ left, top, width: w, height: h, mode, seed: drawnSeed(random) }];
      }
      return [];
    });
  };
}

/**
 * A normalised picture [H, W, C] or clip [T, H, W, C] with rectangles erased, the same ones in every frame.
 *
 * @returns a new one
 * @throws ImageError InvalidOption for a rectangle that leaves the picture
 */
export function erased<T extends Pick<ImageTensor, 'data'> & { readonly shape: readonly number[] }>(
  tensor: T,
  erasures: readonly Erasure[],
): T {
  const [height, width, channels] = tensor.shape.slice(-3) as [number, number, number];
  const frames = tensor.shape.slice(0, -3).reduce((product, size) => product * size, 1);
  const data = Float32Array.from(tensor.data);
  for (const { left, top, width: w, height: h, mode, seed } of erasures) {
    if (left < 0 || top < 0 || left + w > width || top + h > height) {
      const message = `a rectangle of ${w} x ${h} at (${left}, ${top}) is not inside of ${width} x ${height} pixels.`;
      throw new ImageError('InvalidOption', message);
    }
    const random = seededSource(seed);
    const colour = Array.from({ length: channels }, () => (mode === 'color' ? normal(random) : 0));
    for (let row = 0; row < frames * h; row++) {
      const y = Math.floor(row / h) * height + top + (row % h);
      const start = (y * width + left) * channels;
      for (let i = 0; i < w * channels; i++) {
        data[start + i] = mode === 'pixel' ? normal(random) : colour[i % channels]!;
      }
    }
  }
  return { ...tensor, data };
}
