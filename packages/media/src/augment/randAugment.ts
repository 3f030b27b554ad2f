import type { Size } from '../clipCrops.ts';
import { ImageError } from '../errors.ts';
import { checkCount, type RandomSource } from '../frames.ts';
import { IMAGENET_MEAN } from '../normalize.ts';
import { roundHalfEven } from '../rounding.ts';
import type { AffineFilter } from './affine.ts';
import type { Change } from './changes.ts';
import { chance, choice, normal } from './draws.ts';
import { checkProbability, type RandomTransform } from './geometry.ts';

/** Options of {@link randAugment}, with the parts of timm's string that say the same. */
export interface RandAugmentOptions {
  /** `m`: 0 to 10; default 10 */
  readonly magnitude?: number;
  /** `n`: operations for a picture; default 2 */
  readonly layers?: number;
  /** `p`: of each of them to happen; default 0.5 */
  readonly probability?: number;
  /** `mstd`: deviation of the magnitude; default 0. Above 100: uniform from 0 to the magnitude */
  readonly deviation?: number;
  /** `inc`: operations that grow stronger with the magnitude; default false */
  readonly increasing?: boolean;
  /** `mmax`: largest magnitude after the deviation; default 10 */
  readonly maxMagnitude?: number;
  /** where geometry leaves no pixel; default: ImageNet's mean colour */
  readonly fill?: readonly [number, number, number];
  /** of geometric operations; default: bilinear or bicubic at random */
  readonly filter?: AffineFilter | readonly AffineFilter[];
}

/**
 * RandAugment as timm does it: `layers` operations out of fifteen, drawn with replacement, each happening with a
 * probability, all at a magnitude that varies normally.
 *
 * Source: `timm/data/auto_augment.py`, after Cubuk et al., arXiv 1909.13719. DeiT's `rand-m9-mstd0.5-inc1` is
 * `parseRandAugment('rand-m9-mstd0.5-inc1')`.
 *
 * @throws ImageError InvalidOption for values that cannot be
 */
export function randAugment(options: RandAugmentOptions = {}): RandomTransform {
  const {
    magnitude = 10,
    layers = 2,
    probability = 0.5,
    deviation = 0,
    increasing = false,
    maxMagnitude = 10,
  } = options;
  const { fill = IMAGENET_FILL, filter = ['bilinear', 'bicubic'] } = options;
  checkCount('layers', layers);
  checkProbability('probability', probability);
  for (const [name, value] of Object.entries({ magnitude, deviation, maxMagnitude })) {
    if (value >= 0) continue;
    throw new ImageError('InvalidOption', `${name} must be a number >= 0, got ${String(value)}.`);
  }
  const filters = typeof filter === 'string' ? [filter] : filter;
  return (random, size) => {
    const operations = Array.from({ length: layers }, () => choice(random, OPERATIONS));
    return operations.flatMap((operation): readonly Change[] => {
      if (probability < 1 && !chance(random, probability)) return [];
      const drawn =
        deviation > 100
          ? random.uniform(0, magnitude)
          : deviation > 0
            ? normal(random, magnitude, deviation)
            : magnitude;
      const level = Math.max(0, Math.min(maxMagnitude, drawn)) / 10;
      return operation({ random, size, level, increasing, fill, filters });
    });
  };
}

/**
 * The options that a string of timm says: `rand`, then `m`, `n`, `p`, `mstd`, `mmax` and `inc` with their numbers, joined by
 * hyphens.
 *
 * @throws ImageError InvalidOption for anything else, also timm's sets of operations (`t...`)
 */
export function parseRandAugment(text: string): RandAugmentOptions {
  const [first, ...parts] = text.split('-');
  const options: { -readonly [K in keyof RandAugmentOptions]: RandAugmentOptions[K] } = {};
  for (const part of parts) {
    const [, key = '', number = ''] = /^([a-z]+)(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    const value = Number(number);
    if (key === 'inc') options.increasing = value !== 0;
    else if (key in NUMBERS) options[NUMBERS[key as keyof typeof NUMBERS]] = value;
    else
      throw new ImageError(
        'InvalidOption',
        `"${text}": expected m, n, p, mstd, mmax or inc with a number, got "${part}".`,
      );
  }
  if (first !== 'rand') throw new ImageError('InvalidOption', `"${text}": expected it to begin with "rand".`);
  return options;
}

const NUMBERS = {
  m: 'magnitude',
  n: 'layers',
  p: 'probability',
  mstd: 'deviation',
  mmax: 'maxMagnitude',
} as const;

const IMAGENET_FILL = IMAGENET_MEAN.map((value) => Math.min(255, roundHalfEven(255 * value))) as unknown as readonly [
  number,
  number,
  number,
];

interface OperationContext {
  readonly random: RandomSource;
  readonly size: Size;
  /** magnitude over 10 */
  readonly level: number;
  readonly increasing: boolean;
  readonly fill: readonly number[];
  readonly filters: readonly AffineFilter[];
}

type Operation = (context: OperationContext) => readonly Change[];

/** Either sign; timm draws a number and negates above one half. */
function signed({ random }: OperationContext, value: number): number {
  return random.uniform(0, 1) > 0.5 ? -value : value;
}

function enhancement(kind: 'saturation' | 'contrast' | 'brightness' | 'sharpness'): Operation {
  return (context) => {
    const { level, increasing } = context;
    const value = increasing ? Math.max(0.1, 1 + signed(context, level * 0.9)) : level * 1.8 + 0.1;
    return [{ kind, value }];
  };
}

/** Shears and shifts: the matrix of a drawn amount. */
function mapping(most: number, matrix: (amount: number, size: Size) => readonly number[]): Operation {
  return (context) => {
    const { random, size, level, fill, filters } = context;
    const amount = signed(context, level * most);
    const values = matrix(amount, size) as Extract<Change, { kind: 'affine' }>['matrix'];
    return [{ kind: 'affine', matrix: values, filter: choice(random, filters), fill }];
  };
}

/** In timm's order. */
const OPERATIONS: readonly Operation[] = [
  () => [{ kind: 'autoContrast' }],
  () => [{ kind: 'equalize' }],
  () => [{ kind: 'invert' }],
  (context) => {
    const degrees = signed(context, context.level * 30);
    return [{ kind: 'rotate', degrees, filter: choice(context.random, context.filters), fill: context.fill }];
  },
  ({ level, increasing }) => {
    const bits = Math.trunc(level * 4);
    return [{ kind: 'posterize', value: increasing ? 4 - bits : bits }];
  },
  ({ level, increasing }) => {
    const threshold = Math.min(256, Math.trunc(level * 256));
    return [{ kind: 'solarize', value: increasing ? 256 - threshold : threshold }];
  },
  ({ level }) => [{ kind: 'solarizeAdd', value: Math.min(128, Math.trunc(level * 110)) }],
  enhancement('saturation'),
  enhancement('contrast'),
  enhancement('brightness'),
  enhancement('sharpness'),
  mapping(0.3, (amount) => [1, amount, 0, 0, 1, 0]),
  mapping(0.3, (amount) => [1, 0, 0, amount, 1, 0]),
  mapping(0.45, (amount, { width }) => [1, 0, amount * width, 0, 1, 0]),
  mapping(0.45, (amount, { height }) => [1, 0, 0, 0, 1, amount * height]),
];
