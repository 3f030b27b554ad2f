import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/**
 * Seeded random numbers (xoroshiro128+): the one source of randomness in Saccade.
 *
 * The same seed gives the same numbers on every machine. Two uses that must not disturb one another take two
 * generators from {@link Rng.fork}.
 */
export class Rng {
  readonly #seed: number;
  readonly #generator: ReturnType<typeof xoroshiro128plusFromState>;

  /** @param seed any integer; only its low 32 bits count */
  constructor(seed: number) {
    this.#seed = seed | 0;
    // Not pure-rand's own seeding: there the first draws of neighbouring seeds are nearly the same.
    this.#generator = xoroshiro128plusFromState([1, 2, 3, 4].map((word) => mixed(this.#seed + word * 0x9e3779b9)));
  }

  /** A float in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * uniformFloat64(this.#generator);
  }

  /** An integer in [low, high], both ends included. */
  int(low: number, high: number): number {
    return uniformInt(this.#generator, low, high);
  }

  /** A draw from N(mean, std^2), by Box and Muller. */
  normal(mean = 0, std = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + std * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A draw from N(mean, std^2) that lies in [low, high]; others are drawn again. */
  truncatedNormal(mean: number, std: number, low: number, high: number): number {
    for (;;) {
      const value = this.normal(mean, std);
      if (value >= low && value <= high) return value;
    }
  }

  /** Puts `items` in a uniformly random order, in place (Fisher and Yates), and returns it. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.int(0, last);
      [items[last], items[other]] = [items[other] as T, items[last] as T];
    }
    return items;
  }

  /** A generator that depends on this one's seed and on `label` alone, not on what was drawn so far. */
  fork(label: string | number): Rng {
    // FNV-1a over the label, started from the seed.
    let hash = 0x811c9dc5 ^ this.#seed;
    for (const char of String(label)) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
    return new Rng(hash);
  }
}

/** The last step of MurmurHash3 (32 bit): one-to-one, and each bit of the result depends on every bit of `word`. */
function mixed(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
