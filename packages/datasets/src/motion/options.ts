import type { DigitSet } from '../digits.ts';
import { DatasetError } from '../errors.ts';
import { scaledSize } from './sprite.ts';
import { MOTION_TASKS, type MotionTask } from './tasks.ts';

/** A closed range [low, high] from which each clip draws uniformly. */
export type Range = readonly [low: number, high: number];

export const SPLITS = ['train', 'validation', 'test'] as const;
/**
 * Whose handwriting the digits come from: `train` and `validation` share the training files of the digit set (the last
 * `validationDigits` images are kept apart), `test` uses the test files. No image is in two splits.
 */
export type Split = (typeof SPLITS)[number];

export interface MotionOptions {
  readonly digits: DigitSet;
  readonly task: MotionTask;
  readonly split: Split;
  /** Number of clips. Clip i is the same whatever the length. */
  readonly length: number;
  /** Any safe integer. Default 0. */
  readonly seed?: number;
  /** Frames per clip T. Default 8. */
  readonly frames?: number;
  /** Side of the square canvas, in pixels. Default 32. */
  readonly size?: number;
  /** Mean speed, in pixels per frame. Default [1, 3]. */
  readonly speed?: Range;
  /** Relative change of the speed where a class asks for one, 0 to 1. Default [0.5, 1]. */
  readonly change?: Range;
  /** Size of a digit relative to its picture of 28 x 28 pixels. Default [0.5, 0.75]. */
  readonly scale?: Range;
  /** Other digits, dimmer, each with a motion of its own that says nothing about the label. Default 0. */
  readonly distractors?: number;
  /** Brightness of a distractor, 0 to 1; the labelled digit has 1. Default 0.5. */
  readonly distractorBrightness?: number;
  /** Contrast of a smooth background pattern, 0 (black) to 1. Default 0. */
  readonly texture?: number;
  /** Speed at which the background pattern drifts, in a random direction, pixels per frame. Default [0, 0]. */
  readonly pan?: Range;
  /** Standard deviation of independent Gaussian noise on every pixel, in grey levels of 255. Default 0. */
  readonly noise?: number;
  /** Training images that are kept for `validation`. Default 5,000. */
  readonly validationDigits?: number;
}

export type ResolvedMotionOptions = Required<MotionOptions>;

/** Fills in the defaults and checks every value. */
export function resolveMotionOptions(options: MotionOptions): ResolvedMotionOptions {
  const resolved: ResolvedMotionOptions = {
    seed: 0,
    frames: 8,
    size: 32,
    speed: [1, 3],
    change: [0.5, 1],
    scale: [0.5, 0.75],
    distractors: 0,
    distractorBrightness: 0.5,
    texture: 0,
    pan: [0, 0],
    noise: 0,
    validationDigits: 5000,
    ...options,
  };
  const { digits, frames, size, task } = resolved;
  check('task', MOTION_TASKS.includes(task), `one of ${MOTION_TASKS.join(', ')}`, task);
  check('split', SPLITS.includes(resolved.split), `one of ${SPLITS.join(', ')}`, resolved.split);
  check('seed', Number.isSafeInteger(resolved.seed), 'a safe integer', resolved.seed);
  integer('length', resolved.length, 1, 2 ** 31 - 1);
  integer('frames', frames, task === 'direction' ? 2 : 3, 1024);
  integer('size', size, 4, 1024);
  integer('distractors', resolved.distractors, 0, 64);
  integer('validationDigits', resolved.validationDigits, 1, digits.train.count - 1);
  range('change', resolved.change, 0, 1);
  range('scale', resolved.scale, 0.1, 8);
  range('distractorBrightness', [resolved.distractorBrightness, resolved.distractorBrightness], 0, 1);
  range('texture', [resolved.texture, resolved.texture], 0, 1);
  range('noise', [resolved.noise, resolved.noise], 0, 255);
  // A step of half the canvas or more looks like a step the other way: the label would no longer be in the clip.
  const fastest = task === 'direction' ? 1 : 1 + resolved.change[1];
  range('speed', resolved.speed, 0.01, (0.99 * size) / 2 / fastest);
  range('pan', resolved.pan, 0, (0.99 * size) / 2);

  for (const { height, width } of [digits.train, digits.test]) {
    check('digits', height === width, 'square pictures', `${height} x ${width}`);
    const largest = scaledSize(height, resolved.scale[1]) + 1;
    check('scale', largest <= size, `digits that fit a canvas of ${size} pixels`, `${largest} pixels`);
  }
  return resolved;
}

function integer(argument: string, value: number, low: number, high: number): void {
  check(argument, Number.isInteger(value) && value >= low && value <= high, `an integer from ${low} to ${high}`, value);
}

function range(argument: string, [low, high]: Range, least: number, most: number): void {
  const good = low >= least && low <= high && high <= most;
  check(argument, good, `least <= most, both from ${least} to ${most}`, `${low} and ${high}`);
}

function check(argument: string, good: boolean, expected: string, actual: unknown): void {
  if (!good) throw new DatasetError({ code: 'option', argument, expected, actual: String(actual) });
}
