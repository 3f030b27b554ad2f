import { product, Rng } from '@saccade/tensor-ops';
import type { CheckResult } from '../../core/row.ts';

/** Some numbers of a result, computed from the definition in float64. */
export interface Samples {
  /** what they are: `4 tokens` */
  readonly what: string;
  /** places in the result, row-major */
  readonly positions: readonly number[];
  readonly values: readonly number[];
}

/** Joins what was computed for several places. */
export function samples(what: string, found: Iterable<readonly [position: number, value: number]>): Samples {
  const pairs = [...found];
  return { what, positions: pairs.map(([position]) => position), values: pairs.map(([, value]) => value) };
}

/** The same numbers for everybody who asks, computed when the first one does. */
export function once(compute: () => Samples): () => Samples {
  let known: Samples | undefined;
  return () => {
    known ??= compute();
    return known;
  };
}

/**
 * The largest deviation in the sampled places, relative to the largest sampled magnitude; numbers that are not finite,
 * and places that the result does not have, deviate by `Number.MAX_VALUE`.
 */
export function compareSamples(actual: ArrayLike<number>, expected: Samples, tolerance: number): CheckResult {
  const largest = expected.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest === 0 ? 1 : largest;
  const error = expected.values.reduce((most, value, i) => {
    const apart = Math.abs((actual[expected.positions[i] as number] ?? Number.NaN) - value) / scale;
    return Number.isFinite(apart) ? Math.max(most, apart) : Number.MAX_VALUE;
  }, 0);
  return { against: `float64 in ${expected.what}`, error, tolerance };
}

/** Of several checks the one that comes closest to its tolerance, or exceeds it most; `against` names all of them. */
export function worstOf(checks: readonly CheckResult[]): CheckResult {
  const [worst] = [...checks].sort((a, b) => b.error / b.tolerance - a.error / a.tolerance);
  if (worst === undefined) throw new Error('worstOf: no check at all');
  return { ...worst, against: [...new Set(checks.map(({ against }) => against))].join('; ') };
}

/** Some places of a result of `shape`, drawn once for all, the first and the last among them, and `value` of each. */
export function sampleOutputs(
  shape: readonly number[],
  value: (index: readonly number[]) => number,
  count = 32,
): Samples {
  const rng = new Rng(11);
  const last = product(shape) - 1;
  const places = new Set([0, last, ...Array.from({ length: count - 2 }, () => rng.int(0, last))]);
  const found = [...places].map((position) => {
    const index = new Array<number>(shape.length);
    for (let axis = shape.length - 1, rest = position; axis >= 0; axis--) {
      const size = shape[axis] as number;
      index[axis] = rest % size;
      rest = Math.floor(rest / size);
    }
    return [position, value(index)] as const;
  });
  return samples(`${found.length} values`, found);
}
