import { type Samples, samples } from '../support/samples.ts';
import { CHANNELS, type OperatorPoint, sampledTokens } from './point.ts';

// What the definitions of the operators have in common, in float64. Nothing here is shared with the code under test.

/** The channels of one head of one token of [B, N, C] numbers. */
export function headOf(
  values: ArrayLike<number>,
  { tokens, headDim }: OperatorPoint,
  [sample, token]: readonly [sample: number, token: number],
  head: number,
): Float64Array {
  const start = (sample * tokens + token) * CHANNELS + head * headDim;
  return Float64Array.from({ length: headDim }, (_, e) => values[start + e] as number);
}

/** The scalar product. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** `sum over j of softmax_j(query . keys[j] / sqrt(d)) values[j]`. */
export function attend(
  query: Float64Array,
  keys: readonly Float64Array[],
  values: readonly Float64Array[],
): Float64Array {
  const scores = keys.map((key) => dot(query, key) / Math.sqrt(query.length));
  const largest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weightedSum(values, (j) => (weights[j] as number) / total);
}

/** `sum over j of weight(j) values[j]`. */
export function weightedSum(values: readonly Float64Array[], weight: (j: number) => number): Float64Array {
  const sum = new Float64Array((values[0] as Float64Array).length);
  for (const [j, value] of values.entries()) {
    const own = weight(j);
    for (let e = 0; e < sum.length; e++) sum[e] = (sum[e] as number) + own * (value[e] as number);
  }
  return sum;
}

/** The result [B, N, C] in the sampled tokens, all heads, of an operator that says what one head of one token gets. */
export function tokenSamples(
  point: OperatorPoint,
  headResult: (place: readonly [sample: number, token: number], head: number) => Float64Array,
): Samples {
  const chosen = sampledTokens(point);
  const found = chosen.flatMap((place) =>
    Array.from({ length: CHANNELS / point.headDim }, (_, head) => {
      const start = (place[0] * point.tokens + place[1]) * CHANNELS + head * point.headDim;
      return [...headResult(place, head)].map((value, e) => [start + e, value] as const);
    }).flat(),
  );
  return samples(`${chosen.length} tokens`, found);
}

/** Looks up all tokens of a sample for one head; each is taken out of the numbers once. */
export function headsOf(
  values: ArrayLike<number>,
  point: OperatorPoint,
): (sample: number, head: number) => Float64Array[] {
  const known = new Map<string, Float64Array[]>();
  return (sample, head) => {
    const key = `${sample} ${head}`;
    const found =
      known.get(key) ??
      Array.from({ length: point.tokens }, (_, token) => headOf(values, point, [sample, token], head));
    known.set(key, found);
    return found;
  };
}
