import { type MultiScaleOptions, multiScaleCrop, type Size } from '../clipCrops.ts';
import { ImageError } from '../errors.ts';
import { shortSideSize } from '../evalTransform.ts';
import type { ResizeFilter } from '../filters.ts';
import { checkCount, type RandomSource } from '../frames.ts';
import { roundHalfEven } from '../rounding.ts';
import { type Change, changedSize } from './changes.ts';
import { chance, choice, integer } from './draws.ts';

/**
 * A random change of pictures: draws what a picture of this size is to undergo, as plain data. The same changes then serve
 * all frames of a clip ({@link changedImage}), its masks and boxes.
 */
export type RandomTransform = (random: RandomSource, size: Size) => readonly Change[];

/** One transform after the other, each drawn for the size that those before it leave. */
export function sequence(...transforms: readonly RandomTransform[]): RandomTransform {
  return (random, size) => {
    const changes: Change[] = [];
    for (const transform of transforms) changes.push(...transform(random, changedSize(size, changes)));
    return changes;
  };
}

/** How crops are resized: one filter, or one of several at random, as timm's `random` interpolation. */
export type FilterChoice = ResizeFilter | readonly ResizeFilter[];

/** Options of {@link randomResizedCrop}. */
export interface RandomResizedCropOptions {
  /** side of the square afterwards; default 224 */
  readonly size?: number;
  /** least and largest share of the area; default [0.08, 1] */
  readonly scale?: readonly [number, number];
  /** least and largest width over height; default [3/4, 4/3] */
  readonly ratio?: readonly [number, number];
  /** default: bilinear or bicubic at random */
  readonly filter?: FilterChoice;
}

/**
 * A random rectangle, resized to a square: up to ten tries with area `uniform(scale)` of the picture's and width over height
 * `exp(uniform(log ratio))`, the first that fits; else the largest one in the middle of a ratio within the limits.
 *
 * Source: torchvision's `RandomResizedCrop`, of which timm's and SlowFast's are copies.
 *
 * @throws ImageError InvalidOption for values that cannot be
 */
export function randomResizedCrop(options: RandomResizedCropOptions = {}): RandomTransform {
  const { size = 224, scale = [0.08, 1], ratio = [3 / 4, 4 / 3], filter = ['bilinear', 'bicubic'] } = options;
  checkCount('size', size);
  checkInterval('scale', scale);
  checkInterval('ratio', ratio);
  return (random, picture) => {
    const box = resizedCropBox(random, picture, scale, ratio);
    return [
      { kind: 'crop', ...box },
      { kind: 'resize', width: size, height: size, filter: drawnFilter(random, filter) },
    ];
  };
}

function resizedCropBox(
  random: RandomSource,
  { width, height }: Size,
  scale: readonly [number, number],
  ratio: readonly [number, number],
) {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * random.uniform(...scale);
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const size = { width: roundHalfEven(Math.sqrt(area * aspect)), height: roundHalfEven(Math.sqrt(area / aspect)) };
    if (size.width > 0 && size.width <= width && size.height > 0 && size.height <= height) {
      const top = integer(random, 0, height - size.height);
      return { ...size, top, left: integer(random, 0, width - size.width) };
    }
  }
  const whole = width / height;
  const size = {
    width: whole > ratio[1] ? roundHalfEven(height * ratio[1]) : width,
    height: whole < ratio[0] ? roundHalfEven(width / ratio[0]) : height,
  };
  return { ...size, left: Math.floor((width - size.width) / 2), top: Math.floor((height - size.height) / 2) };
}

/**
 * A random square out of pictures that are large enough; wrap it behind {@link randomShortSide} for SlowFast's training
 * of clips.
 *
 * @throws ImageError InvalidOption for a size that is no positive integer; on drawing, for smaller pictures
 */
export function randomCrop(size: number): RandomTransform {
  checkCount('size', size);
  return (random, { width, height }) => {
    if (size > Math.min(width, height)) {
      const message = `a crop of ${size} x ${size} does not fit into ${width} x ${height} pixels. Resize before it.`;
      throw new ImageError('InvalidOption', message);
    }
    const top = integer(random, 0, height - size);
    return [{ kind: 'crop', left: integer(random, 0, width - size), top, width: size, height: size }];
  };
}

/** Options of {@link randomShortSide}. */
export interface RandomShortSideOptions {
  /** least and largest short side; default [256, 320] */
  readonly range?: readonly [number, number];
  /** default `bilinear` */
  readonly filter?: FilterChoice;
}

/**
 * The picture resized to a short side of `round(uniform(range))` pixels, as SlowFast's training of clips does it (there by
 * PyTorch's interpolation, without antialiasing: the sizes are the same, the pixels are not).
 */
export function randomShortSide({
  range = [256, 320],
  filter = 'bilinear',
}: RandomShortSideOptions = {}): RandomTransform {
  checkInterval('range', range);
  return (random, { width, height }) => {
    const side = roundHalfEven(random.uniform(...range));
    return [{ kind: 'resize', ...shortSideSize(width, height, side), filter: drawnFilter(random, filter) }];
  };
}

/** The mirror image, with a probability; default 0.5. Not for data where left and right matter, such as Something-Something. */
export function randomFlip(probability = 0.5): RandomTransform {
  checkProbability('probability', probability);
  return (random) => (chance(random, probability) ? [{ kind: 'flip' }] : []);
}

/** TSN's multi-scale crop, resized to a square of `size` (default 224): see {@link multiScaleCrop}. */
export function randomMultiScaleCrop(options: MultiScaleOptions = {}): RandomTransform {
  const { size = 224 } = options;
  checkCount('size', size);
  return (random, picture) => [
    { kind: 'crop', ...multiScaleCrop(random, picture, options) },
    { kind: 'resize', width: size, height: size, filter: 'bilinear' },
  ];
}

function drawnFilter(random: RandomSource, filter: FilterChoice): ResizeFilter {
  return typeof filter === 'string' ? filter : choice(random, filter);
}

/** @throws ImageError InvalidOption unless 0 < low <= high */
export function checkInterval(name: string, [low, high]: readonly [number, number]): void {
  if (low > 0 && low <= high && Number.isFinite(high)) return;
  throw new ImageError('InvalidOption', `${name} must be two numbers, 0 < low <= high, got ${low} and ${high}.`);
}

/** @throws ImageError InvalidOption unless the value lies in [0, 1] */
export function checkProbability(name: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw new ImageError('InvalidOption', `${name} must be from 0 to 1, got ${String(value)}.`);
}
