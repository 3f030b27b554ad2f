import { type ByteSource, readExactly } from '../source/byteSource.ts';

/** Several sources, one behind the other, as one. What lies in a single one of them is not copied. */
export function joined(parts: readonly ByteSource[]): ByteSource {
  const only = parts[0];
  if (only !== undefined && parts.length === 1) return only;
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.size;
  }
  return {
    size,
    async read(start, end) {
      const pieces: Uint8Array[] = [];
      for (const [i, part] of parts.entries()) {
        const from = Math.max(0, start - starts[i]!);
        const to = Math.min(part.size, end - starts[i]!);
        if (from < to) pieces.push(await readExactly(part, from, to));
      }
      return pieces.length === 1 ? pieces[0]! : concatenated(pieces, end - start);
    },
  };
}

function concatenated(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.byteLength;
  }
  return out;
}
