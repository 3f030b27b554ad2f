import { isBlob } from '../decode/bytes.ts';
import { DecodeError, messageOf } from '../errors.ts';

/**
 * A file that can be read in pieces: `read(start, end)` gives exactly the bytes from `start` up to, not including, `end`.
 * The sources of `@saccade/weights` (`openFile`, `openUrl` by range requests) are of this form.
 */
export interface VideoBytes {
  readonly size: number;
  read(start: number, end: number): Promise<ArrayBuffer | Uint8Array>;
}

/** What openVideo takes: the bytes of a file, a Blob or File, or anything that can be read in pieces. */
export type VideoInput = Uint8Array | ArrayBuffer | Blob | VideoBytes;

/** The one form in which the readers here see their input; reading checks its lengths. */
export interface CheckedBytes {
  readonly size: number;
  read(start: number, end: number): Promise<Uint8Array>;
}

/** @throws DecodeError InvalidArgument; from `read` Truncated, IoError */
export function videoBytes(input: VideoInput): CheckedBytes {
  const { size, read } = source(input);
  return {
    size,
    async read(start, end) {
      if (end > size) {
        throw new DecodeError('Truncated', `bytes up to ${end} are needed of a video file of ${size}: it was cut off.`);
      }
      const bytes = await read(start, end).catch((cause: unknown) => {
        throw new DecodeError('IoError', `reading bytes ${start} to ${end} failed: ${messageOf(cause)}.`, { cause });
      });
      if (bytes.byteLength !== end - start) {
        throw new DecodeError('IoError', `reading bytes ${start} to ${end} gave ${bytes.byteLength} bytes.`);
      }
      return ArrayBuffer.isView(bytes)
        ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new Uint8Array(bytes);
    },
  };
}

function source(input: VideoInput): VideoBytes {
  if (ArrayBuffer.isView(input))
    return { size: input.byteLength, read: async (start, end) => input.subarray(start, end) };
  if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(input))) {
    return source(new Uint8Array(input as ArrayBuffer));
  }
  if (isBlob(input)) return { size: input.size, read: (start, end) => input.slice(start, end).arrayBuffer() };
  const { size, read } = (input ?? {}) as Partial<VideoBytes>;
  if (typeof read !== 'function' || !Number.isSafeInteger(size)) {
    throw new DecodeError(
      'InvalidArgument',
      `expected a video as bytes, a Blob or an object { size, read(start, end) }, got ${
        input === null ? 'null' : typeof input
      }.`,
    );
  }
  return { size: size as number, read: (start, end) => (input as VideoBytes).read(start, end) };
}
