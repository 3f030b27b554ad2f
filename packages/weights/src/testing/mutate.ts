/** Random integers, the same for the same seed: mulberry32. */
export class FuzzRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** The longest input: longer ones only cost time. */
const MAX_BYTES = 2 ** 16;

/** A damaged copy: one to three changes, each of a kind that breaks other things. */
export function mutate(
  input: Uint8Array,
  random: FuzzRandom,
  tokens: readonly Uint8Array[],
  others: readonly Uint8Array[],
): Uint8Array {
  let bytes: Uint8Array = input.slice();
  for (let changes = 1 + random.below(3); changes > 0; changes--) bytes = changed(bytes, random, tokens, others);
  return bytes.subarray(0, MAX_BYTES);
}

function changed(
  bytes: Uint8Array,
  random: FuzzRandom,
  tokens: readonly Uint8Array[],
  others: readonly Uint8Array[],
): Uint8Array {
  const { length } = bytes;
  const at = random.below(length + 1);
  const count =
    random.below(4) === 0 ? random.below(Math.max(1, length - at)) : random.below(Math.min(16, length - at + 1));
  const none = bytes.subarray(0, 0);
  switch (random.below(9)) {
    case 0:
    case 1:
      if (at < length) bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 2:
      if (at < length) bytes[at] = random.below(256);
      return bytes;
    case 3:
      return spliced(bytes, at, count, none);
    case 4: {
      const from = random.below(length + 1);
      return spliced(bytes, at, 0, bytes.slice(from, from + count));
    }
    case 5:
      return spliced(bytes, at, 0, random.pick(tokens));
    case 6: {
      const token = random.pick(tokens);
      return spliced(bytes, at, token.length, token);
    }
    case 7: {
      const other = random.pick(others);
      const from = random.below(other.length + 1);
      return spliced(bytes, at, random.below(2) === 0 ? 0 : count, other.subarray(from, from + 1 + random.below(200)));
    }
    default:
      return random.below(8) === 0
        ? bytes.subarray(0, at)
        : spliced(bytes, at, count, bytes.slice(at, at + count).reverse());
  }
}

function spliced(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(at + removed, bytes.length));
  const out = new Uint8Array(at + inserted.length + rest.length);
  out.set(bytes.subarray(0, at));
  out.set(inserted, at);
  out.set(rest, at + inserted.length);
  return out;
}
