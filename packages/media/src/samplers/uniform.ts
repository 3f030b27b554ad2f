import { below, checkCount, checkView, type RandomSource } from '../frames.ts';
import { roundHalfEven } from '../rounding.ts';

/** Options of {@link uniformFrames}. */
export interface UniformOptions {
  /** T, frames of a clip */
  readonly frames: number;
  /** temporal views of an evaluation, of which `view` is taken; default: none, the middle of each segment */
  readonly views?: number;
  /** which of `views`, from 0; default 0 */
  readonly view?: number;
  /** a random frame of each segment, for training */
  readonly random?: RandomSource;
}

/**
 * One frame of each of T equal segments of a clip of n = `length` frames, as Something-Something is read. 0-based.
 *
 * With `g = (n - 1)/T`, `a_i = round(g i)` and `b_i = round(g (i + 1))`, half-way cases to even:
 *
 * ```
 * random          a_i + randint[0, b_i - a_i], both ends included
 * default         floor((a_i + b_i)/2)                                SlowFast
 * views, view k   a_i + trunc(g (k + 1)/(views + 1))                  UniFormer, mmaction2's UniformSample
 * ```
 *
 * The two published rules of evaluation differ by up to one frame, also for a single view. Frames on disk count from 1: add it.
 * Source: `slowfast/datasets/ssv2.py` of SlowFast, `slowfast/datasets/sth.py` of UniFormer, `UniformSample` of mmaction2.
 *
 * @throws ImageError InvalidOption for values that cannot be
 */
export function uniformFrames(length: number, { frames, views, view, random }: UniformOptions): number[] {
  checkCount('length', length);
  checkCount('frames', frames);
  if (views !== undefined) checkCount('views', views);
  checkView('view', view ?? 0, views ?? 1);
  const segment = (length - 1) / frames;
  const shift = views === undefined ? undefined : Math.trunc((segment / (views + 1)) * ((view ?? 0) + 1));
  return Array.from({ length: frames }, (_, i) => {
    const [start, end] = [roundHalfEven(segment * i), roundHalfEven(segment * (i + 1))];
    if (random) return start + below(random, end - start + 1);
    return shift === undefined ? Math.floor((start + end) / 2) : start + shift;
  });
}
