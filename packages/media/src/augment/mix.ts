import type { Size } from '../clipCrops.ts';
import type { CropBox } from '../crop.ts';
import { ImageError } from '../errors.ts';
import { below, type RandomSource } from '../frames.ts';
import { chance, symmetricBeta } from './draws.ts';
import { checkProbability } from './geometry.ts';

/** Options of {@link mixing}; the defaults are DeiT's. */
export interface MixingOptions {
  /** lambda of mixup is Beta(a, a) distributed; 0: no mixup. Default 0.8 */
  readonly mixup?: number;
  /** the same for CutMix; default 1 */
  readonly cutmix?: number;
  /** of a batch to be mixed at all; default 1 */
  readonly probability?: number;
  /** of CutMix where both are on; default 0.5 */
  readonly switchProbability?: number;
}

/** How a batch is mixed, as plain data: sample i of B with sample B - 1 - i. */
export interface Mixture {
  /** share of a sample in its own mixture, also of its label */
  readonly lambda: number;
  /** CutMix: the rectangle that comes from the other sample; without one: mixup */
  readonly box?: CropBox;
}

/**
 * Draws how a batch is mixed. CutMix cuts `sqrt(1 - lambda)` of each side around a random middle; what of it leaves the
 * picture gives lambda back.
 *
 * Source: timm's `Mixup` in mode `batch`, after Zhang et al., arXiv 1710.09412, and Yun et al., arXiv 1905.04899.
 *
 * @throws ImageError InvalidOption for values that cannot be
 */
export function mixing(options: MixingOptions = {}): (random: RandomSource, size: Size) => Mixture {
  const { mixup = 0.8, cutmix = 1, probability = 1, switchProbability = 0.5 } = options;
  checkProbability('probability', probability);
  checkProbability('switchProbability', switchProbability);
  if (!(mixup >= 0 && cutmix >= 0 && mixup + cutmix > 0)) {
    throw new ImageError(
      'InvalidOption',
      `mixup and cutmix must be >= 0, one of them above, got ${mixup} and ${cutmix}.`,
    );
  }
  return (random, { width, height }) => {
    if (!chance(random, probability)) return { lambda: 1 };
    const cuts = mixup === 0 || (cutmix > 0 && chance(random, switchProbability));
    const lambda = symmetricBeta(random, cuts ? cutmix : mixup);
    if (!cuts) return { lambda };
    const box = cutmixBox(random, { width, height }, lambda);
    return { lambda: 1 - (box.width * box.height) / (width * height), box };
  };
}

/** The rectangle of CutMix for a drawn lambda. */
export function cutmixBox(random: RandomSource, { width, height }: Size, lambda: number): CropBox {
  const share = Math.sqrt(1 - lambda);
  const [top, bottom] = cut(random, height, share);
  const [left, right] = cut(random, width, share);
  return { left, top, width: right - left, height: bottom - top };
}

/** First and last edge of the cut along a side. */
function cut(random: RandomSource, side: number, share: number): readonly [number, number] {
  const half = Math.floor(Math.trunc(side * share) / 2);
  const middle = below(random, side);
  return [Math.max(0, middle - half), Math.min(side, middle + half)];
}

/**
 * A batch [B, (T,) H, W, C] of normalised values, mixed with itself in reverse order.
 *
 * @returns a new batch
 * @throws ImageError InvalidOption if B is odd (the sample in the middle would be mixed with itself)
 */
export function mixedBatch(data: Float32Array, shape: readonly number[], { lambda, box }: Mixture): Float32Array {
  const [batch = 0] = shape;
  if (batch % 2 !== 0) throw new ImageError('InvalidOption', `a batch to mix must be even, got ${batch} samples.`);
  const size = data.length / batch;
  const other = (i: number) => (batch - 1 - Math.floor(i / size)) * size + (i % size);
  if (!box) return data.map((value, i) => value * lambda + data[other(i)]! * (1 - lambda));
  const [height, width, channels] = shape.slice(-3) as [number, number, number];
  const inside = (i: number) => {
    const pixel = Math.floor(i / channels);
    const [x, y] = [pixel % width, Math.floor(pixel / width) % height];
    return x >= box.left && x < box.left + box.width && y >= box.top && y < box.top + box.height;
  };
  return data.map((value, i) => (inside(i) ? data[other(i)]! : value));
}

/**
 * The labels of a mixed batch as distributions [B, classes]: `lambda` of a sample's own, the rest of the other's, each smoothed
 * to `1 - smoothing + smoothing/classes` against `smoothing/classes`.
 *
 * @param smoothing default 0.1
 */
export function mixedLabels(labels: ArrayLike<number>, classes: number, lambda: number, smoothing = 0.1): Float32Array {
  const off = smoothing / classes;
  const rows = new Float32Array(labels.length * classes).fill(off);
  for (let i = 0; i < labels.length; i++) {
    for (const [label, share] of [
      [labels[i], lambda],
      [labels[labels.length - 1 - i], 1 - lambda],
    ] as const) {
      if (label === undefined || !Number.isInteger(label) || label < 0 || label >= classes) {
        throw new ImageError(
          'InvalidOption',
          `labels must be integers from 0 to ${classes - 1}, got ${String(label)}.`,
        );
      }
      rows[i * classes + label]! += share * (1 - smoothing);
    }
  }
  return rows;
}
