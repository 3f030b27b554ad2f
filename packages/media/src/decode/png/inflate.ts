import { DecodeError, messageOf } from '../../errors.ts';

/** Deflate makes at most this much out of a byte. */
const LARGEST_RATIO = 1032;

/**
 * The first `length` bytes that the pieces of a zlib stream decompress to, through the platform's own decompressor. No more
 * memory is taken than that, and none at all if the stream is too short to hold them.
 *
 * @throws DecodeError Truncated, Corrupt; the signal's reason
 */
export async function inflate(
  pieces: readonly Uint8Array[],
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const compressed = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (compressed * LARGEST_RATIO < length) throw tooFew(length, `cannot come out of ${compressed}`);
  const out = new Uint8Array(length);
  const reader = streamOf(pieces).pipeThrough(new DecompressionStream('deflate')).getReader();
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) break;
      const fits = Math.min(value.byteLength, length - filled);
      out.set(value.subarray(0, fits), filled);
      filled += fits;
      // What follows the last row is of no use, as in libpng.
      if (fits < value.byteLength) break;
    }
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new DecodeError('Corrupt', `the compressed pixels of the PNG file are damaged (${messageOf(cause)}).`, {
      cause,
    });
  } finally {
    // Ends the decompressor; what it has to say about that is of no interest.
    await reader.cancel().catch(() => undefined);
  }
  if (filled < length) throw tooFew(length, `were expected, ${filled} came`);
  return out;
}

function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = 0;
  return new ReadableStream(
    {
      pull(controller) {
        const piece = pieces[next++];
        // A copy: decompressors refuse shared memory.
        if (piece === undefined) controller.close();
        else controller.enqueue(piece.slice());
      },
    },
    { highWaterMark: 0 },
  );
}

function tooFew(length: number, what: string): DecodeError {
  return new DecodeError('Truncated', `the PNG file has too few pixels: ${length} bytes ${what}.`);
}
