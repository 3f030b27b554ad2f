import type { CheckResult } from './row.ts';

/** Numbers of a result, one array for each tensor. */
export type Values = readonly ArrayLike<number>[];

/**
 * The largest deviation of any number, each tensor relative to its own largest expected magnitude. Numbers that are not
 * finite deviate by `Number.MAX_VALUE`, which survives JSON; a tensor of zeros is compared absolutely.
 *
 * @throws when there are not as many tensors, or numbers in one, as expected
 */
export function compareValues(against: string, actual: Values, expected: Values, tolerance: number): CheckResult {
  const sizes = (values: Values) => values.map(({ length }) => length).join(', ');
  if (sizes(actual) !== sizes(expected)) {
    throw new Error(`the result has tensors of ${sizes(actual)} numbers, ${against} has ${sizes(expected)}`);
  }
  const error = Math.max(0, ...expected.map((tensor, i) => deviation(actual[i] as ArrayLike<number>, tensor)));
  return { against, error, tolerance };
}

function deviation(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [largest, most] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i] as number, expected[i] as number];
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.MAX_VALUE;
    largest = Math.max(largest, Math.abs(b));
    most = Math.max(most, Math.abs(a - b));
  }
  return largest === 0 ? most : most / largest;
}
