import { ImageError } from '../errors.ts';
import { below, checkCount, type RandomSource } from '../frames.ts';
import { roundHalfEven } from '../rounding.ts';

/** Options of {@link sampleFrames}, by mmaction2's names where it has them. */
export interface SampleFramesOptions {
  /** frames of a clip; 1 for image models */
  readonly clipLength: number;
  /** frames from one frame of a clip to the next; default 1 */
  readonly frameInterval?: number;
  /** clips, all of whose frames are returned; default 1 */
  readonly clips?: number;
  /** evaluation, also with frames shifted by half a segment (`twice_sample`); default false */
  readonly twice?: boolean;
  /** what stands for frames beyond the end: those from the beginning again, or the last one; default `loop` */
  readonly outOfBounds?: 'loop' | 'repeatLast';
  /** training: segments reach the end of the video (`keep_tail_frames`); default false */
  readonly keepTail?: boolean;
  /** converts videos of `fps` frames per second to this rate before sampling; default: they stay as they are */
  readonly targetFps?: number;
  /** of the video; default: as the target */
  readonly fps?: number;
  /** training: random starts; default: evaluation */
  readonly random?: RandomSource;
  /** training: every frame moves by a random part of the interval (`temporal_jitter`); default false */
  readonly jitter?: boolean;
}

/**
 * Frames of clips as mmaction2's `SampleFrames` chooses them. 0-based: for its raw frames, which count from 1, add 1.
 *
 * With n = `length`, m clips of L frames at the interval s; o, the original length of a clip, is `max(1, L s fps/targetFps)`
 * with a target rate, else `L s` in training and `(L - 1) s + 1` in evaluation. Clips start at
 *
 * ```
 * evaluation, L = 1   n/m i + n/(2m), then with `twice` also n/m i
 * evaluation, m = 1   floor(max(n - o, 0)/2)
 * evaluation          round(max(n - o, 0)/(m - 1) i), half-way cases to even; with a target rate floor(...) i
 * training            a i + randint[0, a), a = floor((n - o + 1)/m), while a > 0; else, for n > max(m, o), m sorted random
 *                     starts; else round((n - o + 1)/m i) if a = 0, and 0 if a < 0
 * training, keepTail  trunc(a i + uniform[0, a)), a = (n - o + 1)/m, or 0 if n <= o - 1
 * ```
 *
 * and their frames follow at the interval s, with a target rate at `trunc(linspace(0, o - 1, L))`.
 * Source: `SampleFrames` in `mmaction/datasets/transforms/loading.py` of mmaction2.
 *
 * @returns the frames of all clips, one clip after the other: `m L`, or `2 m L` with `twice`
 * @throws ImageError InvalidOption for values that cannot be; for `twice` with one clip of several frames, which divides by
 *   zero there
 */
export function sampleFrames(length: number, options: SampleFramesOptions): number[] {
  const { clipLength, frameInterval = 1, jitter = false, outOfBounds = 'loop', targetFps, random } = options;
  checkOptions(length, options);
  const original = originalLength(options);
  const starts = random ? trainingStarts(length, original, options, random) : testStarts(length, original, options);
  // With a target rate numpy cuts the steps to integers before it adds them.
  const step = clipLength === 1 ? 0 : (original - 1) / (clipLength - 1);
  const steps = Array.from({ length: clipLength }, (_, k) =>
    targetFps === undefined ? k * frameInterval : Math.trunc(k === clipLength - 1 && k > 0 ? original - 1 : k * step),
  );
  return starts.flatMap((start) => {
    const frames = steps.map((offset) => start + offset + (jitter && random ? below(random, frameInterval) : 0));
    return (outOfBounds === 'loop' ? frames.map((i) => i % length) : withoutOverrun(frames, length)).map(Math.trunc);
  });
}

/** Frames beyond the end become the last frame of the clip that is not; 0 where there is none. */
function withoutOverrun(frames: readonly number[], length: number): number[] {
  const last = Math.max(...frames.map((i) => (i < length ? i : 0)));
  return frames.map((i) => (i < length ? i : last));
}

function originalLength({ clipLength, frameInterval = 1, targetFps, fps = targetFps, random }: SampleFramesOptions) {
  if (targetFps !== undefined && fps !== undefined) return Math.max(1, clipLength * frameInterval * (fps / targetFps));
  return random ? clipLength * frameInterval : (clipLength - 1) * frameInterval + 1;
}

function testStarts(length: number, original: number, options: SampleFramesOptions): number[] {
  const { clipLength, clips = 1, twice = false, targetFps } = options;
  if (clipLength === 1) {
    const interval = length / clips;
    const bases = Array.from({ length: clips }, (_, i) => i * interval);
    const middles = bases.map((base) => base + interval / 2);
    return twice ? [...middles, ...bases] : middles;
  }
  const most = Math.max(length - original, 0);
  const count = twice ? 2 * clips : clips;
  if (count === 1) return [Math.floor(most / 2)];
  const between = most / (clips - 1);
  return Array.from({ length: count }, (_, i) =>
    targetFps === undefined ? roundHalfEven(i * between) : i * Math.floor(between),
  );
}

function trainingStarts(
  length: number,
  original: number,
  options: SampleFramesOptions,
  random: RandomSource,
): number[] {
  const { clips = 1, keepTail = false } = options;
  const places = length - original + 1;
  const each = Array.from({ length: clips }, (_, i) => i);
  const share = places / clips;
  if (keepTail) {
    if (length <= original - 1) return each.map(() => 0);
    return each.map((i) => Math.trunc(i * share + random.uniform(0, share)));
  }
  const interval = Math.floor(share);
  if (interval > 0) return each.map((i) => i * interval + below(random, interval));
  if (length > Math.max(clips, original))
    return each.map(() => below(random, Math.floor(places))).sort((a, b) => a - b);
  return interval === 0 ? each.map((i) => roundHalfEven(i * share)) : each.map(() => 0);
}

function checkOptions(length: number, options: SampleFramesOptions): void {
  const { clipLength, frameInterval = 1, clips = 1, twice, outOfBounds = 'loop', targetFps, fps, random } = options;
  for (const [name, value] of Object.entries({ length, clipLength, frameInterval, clips })) checkCount(name, value);
  for (const [name, value] of Object.entries({ targetFps, fps })) {
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw new ImageError('InvalidOption', `${name} must be a positive number, got ${String(value)}.`);
    }
  }
  if (outOfBounds !== 'loop' && outOfBounds !== 'repeatLast') {
    throw new ImageError('InvalidOption', `outOfBounds must be 'loop' or 'repeatLast', got ${String(outOfBounds)}.`);
  }
  if (twice && !random && clipLength > 1 && clips === 1) {
    throw new ImageError('InvalidOption', 'twice needs clipLength 1 or more than one clip, got one clip.');
  }
}
