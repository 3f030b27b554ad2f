import { DatasetError } from '../errors.ts';

/**
 * Unpacks compressed bytes with the platform's own decompressor, and stops when there are more than allowed.
 *
 * @param format `gzip` (.gz files) or `deflate` (zlib, as in MATLAB files)
 * @throws DatasetError `annotation` for damaged data or a result above `maxBytes`; the signal's reason
 */
export async function inflate(
  bytes: Uint8Array,
  format: 'gzip' | 'deflate',
  { source, maxBytes, signal }: { source: string; maxBytes: number; signal?: AbortSignal | undefined },
): Promise<Uint8Array> {
  const reader = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  const pieces: Uint8Array[] = [];
  let total = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) break;
      total += value.byteLength;
      if (total > maxBytes) break;
      pieces.push(value);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw new DatasetError({
      code: 'annotation',
      argument: source,
      expected: `${format} data`,
      actual: `damaged data (${cause instanceof Error ? cause.message : String(cause)})`,
      hint: 'Fetch the file again.',
      cause,
    });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (total > maxBytes) {
    throw new DatasetError({
      code: 'annotation',
      argument: source,
      expected: `at most ${maxBytes} bytes when unpacked`,
      actual: 'more',
    });
  }
  const result = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.byteLength;
  }
  return result;
}
