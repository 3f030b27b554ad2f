import type { ModelReport, Proportion } from './types.ts';

/**
 * Wilson's score interval for a proportion. Unlike p +- z s it stays within [0, 1] and holds near its ends.
 *
 * @param z standard normal quantile; 1.96 for 95 %
 */
export function wilsonInterval({ correct, total }: Proportion, z = 1.96): [low: number, high: number] {
  if (total === 0) return [0, 1];
  const share = correct / total;
  const centre = share + z ** 2 / (2 * total);
  const reach = z * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2));
  const scale = 1 + z ** 2 / total;
  return [Math.max(0, (centre - reach) / scale), Math.min(1, (centre + reach) / scale)];
}

/** Right predictions among all: the diagonal of the confusion matrix [K, K]. */
export function heldOut({ confusion }: ModelReport): Proportion {
  const classes = Math.sqrt(confusion.length);
  let correct = 0;
  let total = 0;
  confusion.forEach((count, place) => {
    total += count;
    if (place % (classes + 1) === 0) correct += count;
  });
  return { correct, total };
}

export function share({ correct, total }: Proportion): number {
  return correct / total;
}

/** Mean and sample standard deviation (n - 1; `NaN` for fewer than two values). */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? Number.NaN : Math.sqrt(squares / (values.length - 1)) };
}
