/**
 * out[i0, i1, ...] = in[i0 * stride[0] + i1 * stride[1] + ...], row-major in the result.
 *
 * @param bytes elements of `width` bytes (1, 2, 4, 8 or 16); the first is the element at index 0, 0, ...
 * @param stride distances in elements
 */
export function gather(
  bytes: Uint8Array,
  width: number,
  shape: readonly number[],
  stride: readonly number[],
): Uint8Array<ArrayBuffer> {
  const unit = Math.min(width, 4);
  // Elements wider than 4 bytes are rows of 4-byte words: one more axis, of stride 1.
  const words = width / unit;
  const axes = shape
    .map((size, axis) => ({ size, step: stride[axis]! * words }))
    .concat(words > 1 ? { size: words, step: 1 } : [])
    .filter(({ size }) => size !== 1);
  const length = axes.reduce((product, { size }) => product * size, 1);
  const out = new Uint8Array(length * unit);
  const source = unitsOf(bytes, unit);
  const target = unitsOf(out, unit);
  const last = axes.pop() ?? { size: 1, step: 1 };
  const index = axes.map(() => 0);
  let from = 0;
  for (let to = 0; to < length; to += last.size) {
    if (last.step === 1) target.set(source.subarray(from, from + last.size), to);
    else for (let i = 0; i < last.size; i++) target[to + i] = source[from + i * last.step]!;
    // The next row: the last axis that has one left moves on, those after it start anew.
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const { size, step } = axes[axis]!;
      from += step;
      if (++index[axis]! < size) break;
      from -= step * size;
      index[axis] = 0;
    }
  }
  return out;
}

type Units = Uint8Array | Uint16Array | Uint32Array;

/** The bytes as whole numbers of `unit` bytes; a copy where a typed array cannot begin at that place. */
function unitsOf(bytes: Uint8Array, unit: number): Units {
  if (unit === 1) return bytes;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % unit === 0 ? bytes : bytes.slice();
  const length = Math.floor(byteLength / unit);
  return unit === 2 ? new Uint16Array(buffer, byteOffset, length) : new Uint32Array(buffer, byteOffset, length);
}

/** Reverses every `width` bytes in place: numbers of the other byte order. */
export function reverseBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let at = 0; at < bytes.byteLength; at += width) bytes.subarray(at, at + width).reverse();
}
