import { ImageError } from './errors.ts';

/** Where random choices come from: `Rng` of tensor-ops, or any stream of uniform numbers. */
export interface RandomSource {
  /** a float in [low, high) */
  uniform(low: number, high: number): number;
}

/** How TSN and its successors choose frames. */
export type SegmentMode =
  /** training: a random frame of each segment */
  | 'random'
  /** evaluation: the middle frame of each segment */
  | 'center'
  /** the public code's training mode without randomness: as `center`, but only first frames for clips of at most T frames */
  | 'fixed'
  /** two clips for evaluation: the middle frames, then the first frames of the segments */
  | 'twice';

/** Options of {@link segmentFrames}. */
export interface SegmentOptions {
  /** T, segments and so frames of a clip; the published figures are for 8 */
  readonly segments: number;
  /** default `center` */
  readonly mode?: SegmentMode;
  /** for mode `random` */
  readonly random?: RandomSource;
}

/**
 * Frames to show a network of a clip of `length` frames, by TSN's rule of T equal segments. 0-based.
 *
 * With `d = floor(n/T)`: `random` gives `k d + randint[0, d)`, or all 0 for fewer frames than segments (what is over,
 * `n - T d` frames at the end, is never seen). With `t = n/T`: `center` gives `trunc(t/2 + t k)`, `twice` adds `trunc(t k)`.
 * Source: public code of Attention-in-Attention and TSM, whose files count from 1.
 *
 * @throws ImageError InvalidOption for a length or number of segments that is no positive integer, or a missing `random`
 */
export function segmentFrames(length: number, { segments, mode = 'center', random }: SegmentOptions): number[] {
  checkCount('length', length);
  checkCount('segments', segments);
  const each = Array.from({ length: segments }, (_, k) => k);
  if (mode === 'random') {
    const duration = Math.floor(length / segments);
    if (random === undefined) throw new ImageError('InvalidOption', "mode 'random' needs `random`, got none.");
    return each.map((k) => (duration === 0 ? 0 : k * duration + below(random, duration)));
  }
  if (mode === 'fixed' && length <= segments) return each.map(() => 0);
  const step = length / segments;
  const centres = each.map((k) => Math.trunc(step / 2 + step * k));
  return mode === 'twice' ? [...centres, ...each.map((k) => Math.trunc(step * k))] : centres;
}

/** Options of {@link denseFrames}. */
export interface DenseOptions {
  /** T, frames of a clip */
  readonly segments: number;
  /** a random clip, for training; default: ten clips from starts that are spread evenly, one after the other */
  readonly random?: RandomSource;
}

/**
 * Frames of a window of 64 frames, at the stride `floor(64/T)`; a shorter clip begins again at its end. 0-based.
 *
 * Source: the dense sampling of the public code of TSM.
 *
 * @returns T frames with `random`, else 10 T
 * @throws ImageError InvalidOption for a length or number of segments that is no positive integer, or more than 64 segments
 */
export function denseFrames(length: number, { segments, random }: DenseOptions): number[] {
  checkCount('length', length);
  checkCount('segments', segments);
  if (segments > WINDOW) {
    throw new ImageError('InvalidOption', `segments must be at most ${WINDOW}, the window, got ${segments}.`);
  }
  const stride = Math.floor(WINDOW / segments);
  const places = Math.max(1, 1 + length - WINDOW);
  const clip = (start: number) => Array.from({ length: segments }, (_, k) => (k * stride + start) % length);
  // The last place is never drawn: the public code says randint(0, places - 1).
  if (random) return clip(places === 1 ? 0 : below(random, places - 1));
  return Array.from({ length: 10 }, (_, i) => clip(Math.trunc(((places - 1) / 9) * i))).flat();
}

const WINDOW = 64;

/** An integer in [0, count). */
export function below(random: RandomSource, count: number): number {
  // Against a source that rounds up to `count` itself.
  return Math.min(count - 1, Math.floor(random.uniform(0, count)));
}

/** @throws ImageError InvalidOption unless `value` is a positive integer */
export function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ImageError('InvalidOption', `${name} must be a positive integer, got ${String(value)}.`);
  }
}

/** @throws ImageError InvalidOption unless `value` is one of `count` positions, from 0 */
export function checkView(name: string, value: number, count: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value >= count) {
    throw new ImageError('InvalidOption', `${name} must be an integer from 0 to ${count - 1}, got ${String(value)}.`);
  }
}
