import { ImageError } from '../errors.ts';
import { checkCount, checkView, type RandomSource } from '../frames.ts';
import { linspace } from './linspace.ts';

/** Options of {@link stridedFrames}. */
export interface StridedOptions {
  /** T, frames of a clip */
  readonly frames: number;
  /** frames of the target rate from one frame of the clip to the next: the 4 of "16x4" */
  readonly samplingRate: number;
  /** frames per second of the video; default: the target's, so that frames are counted as they come */
  readonly fps?: number;
  /** frames per second in which the sampling rate counts; default 30 */
  readonly targetFps?: number;
  /** which of the views, from 0; default 0. Not with `random` */
  readonly view?: number;
  /** temporal views of an evaluation; default 10 */
  readonly views?: number;
  /**
   * where views begin: `overlap`, at `view/views` of what is left beside the clip; `spread`, from its beginning to its end
   * (SlowFast's `use_offset`); default `overlap`
   */
  readonly placing?: 'overlap' | 'spread';
  /** a random start, for training */
  readonly random?: RandomSource;
}

/**
 * Frames of a clip at a sampling rate, as SlowFast and UniFormer take them from Kinetics. 0-based.
 *
 * With n = `length`, `clip = max(1, samplingRate T fps / targetFps)` and `delta = max(n - clip, 0)`: the clip starts at
 * `s = delta view / views`; `spread`: `view floor(delta/(views - 1))`, or `floor(delta/2)` for a single view; `random`:
 * uniform in [0, delta). Its frames are `linspace(s, s + clip - 1, T)`, clamped to [0, n - 1] and cut to integers, in the
 * arithmetic of PyTorch's float32.
 *
 * UniFormer reads Kinetics with decord, which counts frames as they come: leave out `fps`. SlowFast decodes a video first,
 * at its own rate: state it.
 * Source: `decode` in SlowFast's `slowfast/datasets/decoder.py` where the whole video was decoded; UniFormer's likewise.
 *
 * @returns T frames
 * @throws ImageError InvalidOption for values that cannot be
 */
export function stridedFrames(length: number, options: StridedOptions): number[] {
  checkCount('length', length);
  const clip = clipLength(options);
  const start = clipStart(length, clip, options);
  return clampedFrames(start, start + clip - 1, options.frames, length);
}

/** Options of {@link trimmedStridedFrames}. */
export interface TrimmedOptions extends StridedOptions {
  /** ticks of the stream's clock from one frame to the next; default 512, as of 30 frames per second in many MP4 files */
  readonly ticksPerFrame?: number;
}

/**
 * The same where SlowFast decodes with PyAV a stream that knows its duration: it first cuts out the time of a clip of
 * `max(1, ceil(samplingRate (T - 1) fps / targetFps))` frames, in whole ticks of the stream's clock, and then takes
 * `linspace(0, clip - 1, T)`, clip as in {@link stridedFrames}, of the frames that lie in it. 0-based, of the whole video.
 *
 * The frames are taken to lie at whole multiples of the tick count.
 * Source: `pyav_decode` and `decode` in SlowFast's `slowfast/datasets/decoder.py`.
 *
 * @throws ImageError InvalidOption for values that cannot be
 */
export function trimmedStridedFrames(length: number, options: TrimmedOptions): number[] {
  checkCount('length', length);
  const { ticksPerFrame = 512 } = options;
  checkCount('ticksPerFrame', ticksPerFrame);
  const { frames, samplingRate, targetFps = TARGET_FPS, fps = targetFps } = options;
  const clip = clipLength(options);
  const cut = Math.max(1, Math.ceil(((samplingRate * (frames - 1)) / targetFps) * fps));
  const start = clipStart(length, cut, options);
  const tick = (position: number) => Math.trunc(position * ticksPerFrame) / ticksPerFrame;
  const first = Math.ceil(tick(start));
  const last = Math.min(length - 1, Math.floor(tick(start + cut - 1)));
  return clampedFrames(0, clip - 1, frames, last - first + 1).map((i) => first + i);
}

const TARGET_FPS = 30;

/** Checks the options, and gives the length of a clip in frames of the video. */
function clipLength({ frames, samplingRate, targetFps = TARGET_FPS, fps = targetFps }: StridedOptions): number {
  checkCount('frames', frames);
  for (const [name, value] of Object.entries({ samplingRate, targetFps, fps })) {
    if (!(Number.isFinite(value) && value > 0)) {
      throw new ImageError('InvalidOption', `${name} must be a positive number, got ${String(value)}.`);
    }
  }
  return Math.max(1, ((samplingRate * frames) / targetFps) * fps);
}

/** Where a clip starts; not an integer. */
function clipStart(length: number, clip: number, { view, views = 10, placing, random }: StridedOptions): number {
  const delta = Math.max(length - clip, 0);
  if (random) {
    if (view === undefined) return random.uniform(0, delta);
    throw new ImageError('InvalidOption', `view must be left out beside \`random\`, got ${view}.`);
  }
  checkCount('views', views);
  checkView('view', view ?? 0, views);
  if (placing !== 'spread') return (delta * (view ?? 0)) / views;
  return views === 1 ? Math.floor(delta / 2) : (view ?? 0) * Math.floor(delta / (views - 1));
}

/** Frames between two positions, of a video of `length` frames. */
function clampedFrames(start: number, end: number, count: number, length: number): number[] {
  return linspace(start, end, count).map((position) => Math.trunc(Math.min(length - 1, Math.max(0, position))));
}
