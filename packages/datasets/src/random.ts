import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/**
 * Random numbers that depend on a key alone.
 *
 * A data set gives sample i the stream of the key (seed, split, i): any sample can be made at any time, in any order
 * and in any process, and is always the same one. The key fills all 128 bits of the generator's state, so that two
 * samples of a large set do not share a stream by accident, as they soon would with a 32-bit seed.
 */
export class RandomStream {
  readonly #generator: ReturnType<typeof xoroshiro128plusFromState>;

  /** @param key integers; of each its low 53 bits count */
  constructor(...key: readonly number[]) {
    const words = key.flatMap((part) => [part | 0, Math.floor(part / 2 ** 32) | 0]);
    this.#generator = xoroshiro128plusFromState([0, 1, 2, 3].map((lane) => hash(words, lane)));
  }

  /** A float in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * uniformFloat64(this.#generator);
  }

  /** An integer in [0, count). */
  below(count: number): number {
    return uniformInt(this.#generator, 0, count - 1);
  }

  /** A draw from N(0, 1), by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform(0, 1))) * Math.cos(2 * Math.PI * this.uniform(0, 1));
  }
}

/** MurmurHash3 (32 bit) of whole words; the lane is its seed. */
function hash(words: readonly number[], lane: number): number {
  let state = Math.imul(lane + 1, 0x9e3779b9);
  for (const word of words) {
    let mixed = Math.imul(word, 0xcc9e2d51);
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    state ^= mixed;
    state = (Math.imul((state << 13) | (state >>> 19), 5) + 0xe6546b64) | 0;
  }
  state ^= words.length * 4;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return state ^ (state >>> 16);
}
