import { below, type RandomSource } from '../frames.ts';

/** True with this probability. */
export function chance(random: RandomSource, probability: number): boolean {
  return random.uniform(0, 1) < probability;
}

/** An integer from `low` to `high`, both included. */
export function integer(random: RandomSource, low: number, high: number): number {
  return low + below(random, high - low + 1);
}

/** One of a list. */
export function choice<T>(random: RandomSource, values: readonly T[]): T {
  return values[below(random, values.length)] as T;
}

/** The values in a random order. */
export function permuted<T>(random: RandomSource, values: readonly T[]): T[] {
  const out = [...values];
  for (let i = out.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** Normally distributed (Box and Muller). */
export function normal(random: RandomSource, mean = 0, deviation = 1): number {
  // 1 - u lies in (0, 1]: no logarithm of 0.
  const radius = Math.sqrt(-2 * Math.log(1 - random.uniform(0, 1)));
  return mean + deviation * radius * Math.cos(2 * Math.PI * random.uniform(0, 1));
}

/** Beta(alpha, alpha) distributed. */
export function symmetricBeta(random: RandomSource, alpha: number): number {
  const [x, y] = [gamma(random, alpha), gamma(random, alpha)];
  // Both round to 0 only for tiny alphas, where the distribution has nearly all its mass at the two ends.
  return x + y === 0 ? Number(chance(random, 0.5)) : x / (x + y);
}

/** Gamma(shape, 1) distributed (Marsaglia and Tsang, 2000). */
function gamma(random: RandomSource, shape: number): number {
  if (shape < 1) return gamma(random, shape + 1) * (1 - random.uniform(0, 1)) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform(0, 1)) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Uniform numbers from a 32-bit seed (mulberry32), for values too many to be recorded one by one. */
export function seededSource(seed: number): RandomSource {
  let state = seed | 0;
  return {
    uniform(low, high) {
      state = (state + 0x6d2b79f5) | 0;
      let bits = Math.imul(state ^ (state >>> 15), 1 | state);
      bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
      return low + ((high - low) * ((bits ^ (bits >>> 14)) >>> 0)) / 2 ** 32;
    },
  };
}

/** A seed for {@link seededSource}. */
export function drawnSeed(random: RandomSource): number {
  return below(random, 2 ** 32);
}
