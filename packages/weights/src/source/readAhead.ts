import { type ByteSource, readExactly } from './byteSource.ts';

/**
 * A source that reads at least `atLeast` bytes at once and answers what lies among them from memory: for many small reads
 * one after the other.
 */
export function readAhead(source: ByteSource, atLeast = 2 ** 16): ByteSource {
  const { size } = source;
  let from = 0;
  let kept = new Uint8Array(0) as Uint8Array;
  return {
    size,
    async read(start, end) {
      if (start < from || end > from + kept.byteLength) {
        kept = await readExactly(source, start, Math.min(size, Math.max(end, start + atLeast)));
        from = start;
      }
      return kept.subarray(start - from, end - from);
    },
  };
}
