import { assertInteger, ConfigError, ShapeError } from '@saccade/tensor-ops';

/** The class of the largest logit in each row of `logits` (rows of K values, one after the other). */
export function predictions(logits: ArrayLike<number>, classes: number): Int32Array {
  assertInteger('classes', classes, 1);
  const found = new Int32Array(logits.length / classes);
  for (let row = 0; row < found.length; row++) {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if ((logits[row * classes + k] as number) > (logits[row * classes + best] as number)) best = k;
    }
    found[row] = best;
  }
  return found;
}

/** The share of samples whose prediction is their label; 0 for none. */
export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  if (predicted.length !== labels.length) {
    throw new ShapeError({
      argument: 'labels',
      expected: `${predicted.length}, one for each prediction`,
      actual: String(labels.length),
    });
  }
  let right = 0;
  for (let i = 0; i < labels.length; i++) right += predicted[i] === labels[i] ? 1 : 0;
  return labels.length === 0 ? 0 : right / labels.length;
}

/** How often each class was taken for each other one. */
export class ConfusionMatrix {
  /** K */
  readonly classes: number;
  readonly #counts: Float64Array;

  constructor(classes: number) {
    assertInteger('classes', classes, 1);
    this.classes = classes;
    this.#counts = new Float64Array(classes * classes);
  }

  /**
   * Counts one sample.
   *
   * @throws ConfigError for a class outside 0..K-1
   */
  add(label: number, predicted: number): void {
    for (const [argument, value] of Object.entries({ label, predicted })) {
      if (!Number.isSafeInteger(value) || value < 0 || value >= this.classes) {
        throw new ConfigError(argument, `a class from 0 to ${this.classes - 1}`, value);
      }
    }
    this.#counts[label * this.classes + predicted]! += 1;
  }

  /** Samples of class `label` that were taken for `predicted`. */
  count(label: number, predicted: number): number {
    return this.#counts[label * this.classes + predicted] ?? 0;
  }

  /** All counts: one row for each label, one column for each prediction. */
  rows(): number[][] {
    return Array.from({ length: this.classes }, (_, label) => [
      ...this.#counts.subarray(label * this.classes, (label + 1) * this.classes),
    ]);
  }

  /** Samples counted. */
  get total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** The share of right predictions; 0 for no samples. */
  get accuracy(): number {
    const right = this.rows().reduce((sum, row, label) => sum + (row[label] as number), 0);
    return this.total === 0 ? 0 : right / this.total;
  }

  /** The share of right predictions among the samples of each class; NaN for a class without samples. */
  perClass(): number[] {
    return this.rows().map((row, label) => (row[label] as number) / row.reduce((sum, count) => sum + count, 0));
  }

  /** The mean of {@link perClass} over the classes that have samples; 0 for no samples. */
  get meanPerClass(): number {
    const present = this.perClass().filter((share) => !Number.isNaN(share));
    return present.length === 0 ? 0 : present.reduce((sum, share) => sum + share, 0) / present.length;
  }
}
