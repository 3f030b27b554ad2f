import { isAbort, messageOf, SourceError } from './errors.ts';

/**
 * Bytes that can be read in pieces: a file on disk, an HTTP resource that answers range requests, ...
 *
 * - `size`: length in bytes, at most 2^53 - 1.
 * - `read(start, end)`: exactly the bytes from `start` up to, not including, `end`. The result may be a view of memory
 *   that the source keeps: copy before writing into it.
 */
export interface ByteSource {
  readonly size: number;
  read(start: number, end: number): Promise<ArrayBuffer | Uint8Array>;
}

/** Everything that file readers open: a Blob or File, bytes in memory, or any {@link ByteSource}. */
export type SourceInput = Blob | ArrayBuffer | Uint8Array | ByteSource;

/**
 * The one form in which readers see their input.
 *
 * @throws SourceError InvalidArgument if `input` is none of the documented types
 */
export function byteSource(input: SourceInput): ByteSource {
  if (isBytes(input)) return bytesSource(plainBytes(input));
  const size: unknown = typeof input === 'object' && input !== null ? input.size : undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new SourceError(
      'InvalidArgument',
      `expected a source with its size in bytes (an integer from 0 to 2^53 - 1), got ${
        typeof input === 'object' && input !== null ? `size ${String(size)}` : String(input)
      }. Pass a Blob, a File, an ArrayBuffer, a Uint8Array or an object { size, read(start, end) }.`,
    );
  }
  if ('read' in input && typeof input.read === 'function') return input;
  if ('slice' in input && typeof input.slice === 'function') {
    return { size, read: (start, end) => input.slice(start, end).arrayBuffer() };
  }
  throw new SourceError(
    'InvalidArgument',
    'the source has a size, but neither read(start, end) as a ByteSource nor slice(start, end) as a Blob.',
  );
}

function bytesSource(bytes: Uint8Array): ByteSource {
  const size = bytes.byteLength;
  return {
    size,
    read: async (start, end) => {
      // A view of a buffer that was resized or transferred is shorter than it was.
      if (bytes.byteLength !== size) {
        throw new SourceError(
          'Changed',
          `the buffer had ${size} bytes when it was opened and has ${bytes.byteLength} now. Keep it until the last ` +
            'tensor is read, and neither resize nor transfer it.',
        );
      }
      return bytes.subarray(start, end);
    },
  };
}

/**
 * Reads `[start, end)` and makes sure of its length.
 *
 * @throws SourceError OutOfBounds, ShortRead, IoError with the failure of the source as `cause`, or whatever
 *   SourceError the source throws; an abort passes unchanged
 */
export async function readExactly(source: ByteSource, start: number, end: number): Promise<Uint8Array> {
  if (!(start >= 0 && start <= end && end <= source.size)) {
    throw new SourceError(
      'OutOfBounds',
      `bytes ${start} to ${end} were asked of a source of ${source.size} bytes. Stay between 0 and its size.`,
    );
  }
  let bytes: Uint8Array;
  try {
    bytes = plainBytes(await source.read(start, end));
  } catch (cause) {
    if (isAbort(cause) || (cause instanceof SourceError && cause.code !== 'InvalidArgument')) throw cause;
    throw new SourceError(
      'IoError',
      `reading bytes ${start} to ${end} failed: ${messageOf(cause)}. The cause of this error holds the details.`,
      { cause },
    );
  }
  if (bytes.byteLength !== end - start) {
    throw new SourceError(
      'ShortRead',
      `reading bytes ${start} to ${end} gave ${bytes.byteLength} bytes instead of ${end - start}. The file changed ` +
        'while it was open, or the source does not honour ranges.',
    );
  }
  return bytes;
}

/** By name and not by instanceof, which fails for buffers from another realm (a frame, a worker, a test sandbox). */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));
}

/** Whether `value` is memory that {@link plainBytes} takes. */
export function isBytes(value: unknown): value is ArrayBuffer | Uint8Array {
  return ArrayBuffer.isView(value) || isArrayBuffer(value);
}

/**
 * The same memory as a Uint8Array proper: a Node Buffer is a subclass whose `slice` does not copy.
 *
 * @throws SourceError InvalidArgument for anything that is not memory
 */
export function plainBytes(bytes: ArrayBuffer | Uint8Array): Uint8Array {
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isArrayBuffer(bytes)) return new Uint8Array(bytes);
  throw new SourceError(
    'InvalidArgument',
    `expected bytes as an ArrayBuffer or Uint8Array, got ${bytes === null ? 'null' : typeof bytes}. ` +
      'Read them first (`await file.arrayBuffer()`, `await readFile(path)`).',
  );
}
