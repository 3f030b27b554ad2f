import { DecodeError, messageOf } from '../errors.ts';

/** What decoders take: the bytes of a file. */
export type FileBytes = Uint8Array | ArrayBuffer | Blob;

/**
 * The bytes of a file in memory. By name and not by instanceof, which fails for buffers from another realm.
 *
 * @throws DecodeError InvalidArgument; IoError if a Blob cannot be read
 */
export async function toBytes(input: FileBytes): Promise<Uint8Array> {
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(input))) {
    return new Uint8Array(input as ArrayBuffer);
  }
  if (isBlob(input)) {
    try {
      return new Uint8Array(await input.arrayBuffer());
    } catch (cause) {
      throw new DecodeError('IoError', `the file could not be read: ${messageOf(cause)}.`, { cause });
    }
  }
  throw new DecodeError(
    'InvalidArgument',
    `expected the bytes of a file as a Uint8Array, ArrayBuffer or Blob, got ${input === null ? 'null' : typeof input}.`,
  );
}

/** Whether `value` is a Blob or File. */
export function isBlob(value: unknown): value is Blob {
  return /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(value));
}
