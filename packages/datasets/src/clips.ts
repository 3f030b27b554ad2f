import { DatasetError } from './errors.ts';

/** A short grey video with its class. */
export interface Clip {
  /** [T, H, W], 0 = black. */
  readonly frames: Uint8Array;
  readonly label: number;
}

/** Clips by number. All clips of a source have one shape. */
export interface ClipSource<C extends Clip = Clip> {
  readonly length: number;
  /** Names of the classes; a label is an index into them. */
  readonly classes: readonly string[];
  /** [T, H, W] of every clip. */
  readonly shape: readonly [frames: number, height: number, width: number];
  /** @throws {DatasetError} `index` outside 0 ... length - 1 */
  get(index: number): C;
}

/** Clips side by side, as a model takes them. */
export interface ClipBatch {
  /** [B, T, H, W] */
  readonly frames: Uint8Array;
  /** [B] */
  readonly labels: Int32Array;
  readonly shape: readonly [batch: number, frames: number, height: number, width: number];
}

/** Copies the clips with the given numbers into one batch, in that order. */
export function readBatch(source: ClipSource, indices: readonly number[]): ClipBatch {
  const [count, height, width] = source.shape;
  const clipSize = count * height * width;
  const frames = new Uint8Array(indices.length * clipSize);
  const labels = new Int32Array(indices.length);
  indices.forEach((index, slot) => {
    const clip = source.get(index);
    frames.set(clip.frames, slot * clipSize);
    labels[slot] = clip.label;
  });
  return { frames, labels, shape: [indices.length, count, height, width] };
}

/**
 * The same source with every clip changed on its way out: `mapClips(test, reverse)` is the test set played backwards.
 *
 * @param change gets the clip and its number, and returns a clip of the same shape
 */
export function mapClips<A extends Clip, B extends Clip>(
  source: ClipSource<A>,
  change: (clip: A, index: number) => B,
): ClipSource<B> {
  return {
    length: source.length,
    classes: source.classes,
    shape: source.shape,
    get: (index) => change(source.get(index), index),
  };
}

/**
 * Frames taken in another order: frame t of the result is frame `order[t]` of the argument.
 *
 * @param frames [T, H, W] with T = `order.length`
 * @throws {DatasetError} `option` if the frames do not divide into `order.length` parts, or `order` is no permutation
 */
export function reorderFrames(frames: Uint8Array, order: readonly number[]): Uint8Array {
  const size = frames.length / order.length;
  if (!Number.isInteger(size)) {
    throw new DatasetError({
      code: 'option',
      argument: 'order',
      expected: `a length that divides ${frames.length} pixels into frames`,
      actual: String(order.length),
    });
  }
  if (new Set(order).size !== order.length || order.some((from) => !(from in order))) {
    throw new DatasetError({
      code: 'option',
      argument: 'order',
      expected: `a permutation of 0 ... ${order.length - 1}`,
      actual: `[${order.join(', ')}]`,
    });
  }
  const result = new Uint8Array(frames.length);
  order.forEach((from, to) => {
    result.set(frames.subarray(from * size, (from + 1) * size), to * size);
  });
  return result;
}
