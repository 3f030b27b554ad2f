import type { Clip, ClipSource } from '../clips.ts';
import type { LabelledImages } from '../digits.ts';
import { DatasetError } from '../errors.ts';
import { RandomStream } from '../random.ts';
import { type MotionOptions, type Range, type ResolvedMotionOptions, resolveMotionOptions, SPLITS } from './options.ts';
import { paint, type Sprite, scaleDigit } from './sprite.ts';
import { HEADINGS, type Heading, type MotionClass, type MotionTask, motionClasses, type Profile } from './tasks.ts';
import { randomTexture } from './texture.ts';
import { path } from './trajectory.ts';

/** A clip in which only motion carries the label, with how it was made. */
export interface MotionClip extends Clip {
  /** [T, size, size] */
  readonly frames: Uint8Array;
  readonly label: number;
  readonly task: MotionTask;
  readonly heading: Heading;
  readonly profile: Profile;
  /** Mean of the absolute steps, pixels per frame. */
  readonly speed: number;
  /** Centre of the digit in each frame, [T, 2] as (y, x) in pixels, not wrapped: modulo the canvas. */
  readonly positions: Float64Array;
  /** The digit: its value 0 to 9 and its place in the images of its file. */
  readonly digit: { readonly value: number; readonly index: number };
}

/** A sprite on its way. */
interface Actor {
  readonly sprite: Sprite;
  readonly positions: Float64Array;
  readonly brightness: number;
}

/**
 * Handwritten digits that move over a canvas whose opposite edges are joined (a torus), from a random start.
 *
 * The start is uniform over the torus, so in every class every single frame has the same distribution: the label is in
 * the motion alone. The classes are balanced (label = index modulo their number); everything else about clip i is drawn
 * from a stream that depends on (seed, split, i) alone, so clips can be read in any order, by any number of processes.
 *
 * @throws {DatasetError} `option` for a value that cannot work
 */
export class MotionDataset implements ClipSource<MotionClip> {
  readonly length: number;
  readonly classes: readonly string[];
  readonly shape: readonly [frames: number, height: number, width: number];
  /** The options in force, defaults filled in. */
  readonly options: ResolvedMotionOptions;
  readonly #classes: readonly MotionClass[];
  readonly #images: LabelledImages;
  /** Images [first, first + count) of the file belong to this split. */
  readonly #pool: { readonly first: number; readonly count: number };

  constructor(options: MotionOptions) {
    this.options = resolveMotionOptions(options);
    const { digits, frames, size, split, task, validationDigits } = this.options;
    this.length = this.options.length;
    this.shape = [frames, size, size];
    this.#classes = motionClasses(task);
    this.classes = this.#classes.map(({ name }) => name);
    this.#images = split === 'test' ? digits.test : digits.train;
    const kept = digits.train.count - validationDigits;
    this.#pool = {
      train: { first: 0, count: kept },
      validation: { first: kept, count: validationDigits },
      test: { first: 0, count: digits.test.count },
    }[split];
  }

  get(index: number): MotionClip {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new DatasetError({
        code: 'index',
        argument: 'index',
        expected: `an integer from 0 to ${this.length - 1}`,
        actual: String(index),
      });
    }
    const { options } = this;
    const random = new RandomStream(options.seed, SPLITS.indexOf(options.split), index);
    const label = index % this.#classes.length;
    const actor = this.#cast(random, this.#classes[label] as MotionClass, 1);
    // Behind the labelled digit, which is painted last. Their motions are drawn from all classes alike.
    const distractors = Array.from({ length: options.distractors }, () =>
      this.#cast(
        random,
        this.#classes[random.below(this.#classes.length)] as MotionClass,
        options.distractorBrightness,
      ),
    );
    const { heading, profile, speed, positions, digit } = actor;
    const frames = this.#film([...distractors, actor], random);
    return { frames, label, task: options.task, heading, profile, speed, positions, digit };
  }

  #cast(random: RandomStream, motion: MotionClass, brightness: number) {
    const { frames, size } = this.options;
    const { first, count } = this.#pool;
    const index = first + random.below(count);
    const side = this.#images.width;
    const pixels = this.#images.images.subarray(index * side * side, (index + 1) * side * side);
    const sprite = scaleDigit(pixels, side, within(random, this.options.scale));
    const drawn = HEADINGS[random.below(HEADINGS.length)] as Heading;
    const heading = motion.heading ?? drawn;
    const { profile } = motion;
    const speed = within(random, this.options.speed);
    const change = within(random, this.options.change);
    const start = [random.uniform(0, size), random.uniform(0, size)] as const;
    const positions = path({ frames, heading, profile, speed, change }, start, random);
    const digit = { value: this.#images.labels[index] as number, index };
    return { sprite, positions, brightness, heading, profile, speed, digit };
  }

  #film(actors: readonly Actor[], random: RandomStream): Uint8Array {
    const { frames: count, size, texture: contrast, pan, noise } = this.options;
    const frames = new Uint8Array(count * size * size);
    const canvas = new Float32Array(size * size);
    const scratch = new Float32Array(size * size);
    const texture = contrast > 0 ? randomTexture(contrast, random) : null;
    const bearing = random.uniform(0, 2 * Math.PI);
    const drift = within(random, pan);
    for (let t = 0; t < count; t++) {
      canvas.fill(0);
      texture?.draw(canvas, size, t * drift * Math.sin(bearing), t * drift * Math.cos(bearing));
      for (const { sprite, positions, brightness } of actors) {
        paint(canvas, size, sprite, positions[2 * t]!, positions[2 * t + 1]!, brightness, scratch);
      }
      for (let pixel = 0; pixel < canvas.length; pixel++) {
        const grey = 255 * canvas[pixel]! + (noise > 0 ? noise * random.normal() : 0);
        frames[t * canvas.length + pixel] = Math.min(255, Math.max(0, Math.round(grey)));
      }
    }
    return frames;
  }
}

function within(random: RandomStream, [low, high]: Range): number {
  return random.uniform(low, high);
}
