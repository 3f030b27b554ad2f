/** What packed numbers are expected to be. */
export interface PackedNumbers {
  readonly count: number;
  /** Bytes of each: 1, 2, 4 or 8. */
  readonly width: number;
  /** Whether they may be negative: written with 64 bits, in two's complement. */
  readonly signed: boolean;
}

/**
 * Numbers in groups of 7 bits, the lowest first, one behind the other, as little-endian integers; undefined if they are not
 * as many as expected, or one of them does not fit.
 */
export function unpackVarints(packed: Uint8Array, { count, width, signed }: PackedNumbers): Uint8Array | undefined {
  const out = new Uint8Array(count * width);
  const view = new DataView(out.buffer);
  let at = 0;
  for (let i = 0; i < out.length; i += width) {
    // The number as two halves of 32 bits, for as many groups as there may be.
    let [low, high] = [0, 0];
    let more = true;
    for (let shift = 0; more; shift += 7) {
      const byte = packed[at++];
      if (byte === undefined || (shift === 63 && byte > 1)) return undefined;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      // The fifth group has 4 bits below 2^32 and 3 above.
      if (shift === 28) high = bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      more = byte >= 0x80;
    }
    if (!fits(low, high, width, signed)) return undefined;
    if (width === 1) out[i] = low;
    else if (width === 2) view.setInt16(i, low, true);
    else view.setInt32(i, low, true);
    if (width === 8) view.setInt32(i + 4, high, true);
  }
  return at === packed.byteLength ? out : undefined;
}

/** Whether a 64-bit number, given as its signed halves, is one of a type of `width` bytes. */
function fits(low: number, high: number, width: number, signed: boolean): boolean {
  if (width === 8) return true;
  if (!signed) return high === 0 && low >>> 0 < 2 ** (8 * width);
  const bound = 2 ** (8 * width - 1);
  return high === low >> 31 && low >= -bound && low < bound;
}
