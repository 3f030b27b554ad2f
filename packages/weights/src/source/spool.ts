import { type ByteSource, byteSource, plainBytes } from './byteSource.ts';
import { isAbort, messageOf, SourceError } from './errors.ts';

/** Options of {@link spoolStream}. */
export interface SpoolOptions {
  /** The most bytes to take; the stream is cancelled beyond. Default 2 GiB. */
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk with the bytes taken so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export const DEFAULT_MAX_SPOOL_BYTES = 2 * 2 ** 30;

/** Chunks of a network stream have some 16 kB; a Blob of a million parts would be slow to read. */
const PART_BYTES = 32 * 2 ** 20;

/**
 * Takes a whole stream, which can be read once and in order, into a source that can be read anywhere.
 *
 * The bytes are kept as a Blob: it may be larger than one array (2 GiB in some browsers), and browsers move large Blobs
 * to disk. In Node they stay in memory; write a stream of many gigabytes to a file there and use openFile.
 *
 * @throws SourceError TooLarge beyond `maxBytes`; IoError if the stream fails; the signal's reason if aborted
 */
export async function spoolStream(
  stream: ReadableStream<Uint8Array>,
  { maxBytes = DEFAULT_MAX_SPOOL_BYTES, signal, onProgress }: SpoolOptions = {},
): Promise<ByteSource> {
  const parts: Blob[] = [];
  let pending: Uint8Array<ArrayBuffer>[] = [];
  let pendingBytes = 0;
  let total = 0;
  for await (const chunk of chunksOf(stream, signal)) {
    total += chunk.byteLength;
    if (total > maxBytes) {
      throw new SourceError(
        'TooLarge',
        `the stream gave more than the ${maxBytes} bytes allowed. Raise maxBytes if you expect a file this large.`,
      );
    }
    // The producer may use its chunk again.
    pending.push(chunk.slice());
    pendingBytes += chunk.byteLength;
    if (pendingBytes >= PART_BYTES) {
      parts.push(new Blob(pending));
      pending = [];
      pendingBytes = 0;
    }
    onProgress?.(total);
  }
  return byteSource(new Blob([...parts, ...pending]));
}

/**
 * The chunks of a stream; leaving the loop early, an abort or a failure cancels it.
 *
 * @throws SourceError InvalidArgument for something that is no stream of bytes; IoError; the signal's reason if aborted
 */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted();
  if (typeof stream?.getReader !== 'function') {
    throw new SourceError('InvalidArgument', `expected a ReadableStream of bytes, got ${String(stream)}.`);
  }
  if (stream.locked) {
    throw new SourceError(
      'InvalidArgument',
      'the stream is locked: somebody else reads it. Pass a stream nobody uses.',
    );
  }
  const reader = stream.getReader();
  // Cancelling ends a read that waits for a stalled producer; its own failure to cancel adds nothing to the reason.
  const abort = () => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener('abort', abort, { once: true });
  let finished = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) {
        finished = true;
        return;
      }
      yield plainBytes(value);
    }
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    if (isAbort(cause) || cause instanceof SourceError) throw cause;
    throw new SourceError('IoError', `the stream failed: ${messageOf(cause)}. Try again.`, { cause });
  } finally {
    signal?.removeEventListener('abort', abort);
    if (!finished) await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}
