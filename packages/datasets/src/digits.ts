import { DatasetError } from './errors.ts';
import { type IdxArray, readIdx } from './idx.ts';

/** Grey images of one size with their classes. */
export interface LabelledImages {
  /** Number of images N. */
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** [N, height, width], 0 = background, 255 = full ink. */
  readonly images: Uint8Array;
  /** [N], the digit 0 to 9. */
  readonly labels: Uint8Array;
}

/** A set of digits in its two published parts. They share no image, and in MNIST no writer. */
export interface DigitSet {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
}

/**
 * Joins a pair of IDX files.
 *
 * @param images bytes of an images file, [N, height, width]
 * @param labels bytes of a labels file, [N]
 * @throws {DatasetError} what {@link readIdx} throws; `labels` if the counts differ or a label exceeds 9
 */
export function readLabelledImages(images: Uint8Array, labels: Uint8Array, source = 'digits'): LabelledImages {
  const pixels = readIdx(images, { rank: 3, source: `${source} images` });
  const classes = readIdx(labels, { rank: 1, source: `${source} labels` });
  const [count, height, width] = pixels.shape as [number, number, number];
  checkLabels(classes, count, source);
  return { count, height, width, images: pixels.data, labels: classes.data };
}

function checkLabels({ data }: IdxArray, count: number, source: string): void {
  const argument = `${source} labels`;
  if (data.length !== count) {
    throw new DatasetError({
      code: 'labels',
      argument,
      expected: `one label for each of ${count} images`,
      actual: `${data.length} labels`,
      hint: 'Give the images and labels files of the same split.',
    });
  }
  const bad = data.findIndex((label) => label > 9);
  if (bad >= 0) {
    throw new DatasetError({ code: 'labels', argument, expected: 'digits 0 to 9', actual: `${data[bad]} at ${bad}` });
  }
}

/** How many images each digit has: `counts[digit]`. */
export function countDigits({ labels }: LabelledImages): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
