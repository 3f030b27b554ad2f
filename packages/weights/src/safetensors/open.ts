import type { StateTensor } from '../stateTensor.ts';
import { Directory, Listing } from './directory.ts';
import { SafetensorsError } from './errors.ts';
import { LENGTH_BYTES, parseHeader, readHeaderLength } from './header.ts';
import { plainBytes } from './parse.ts';

/**
 * Bytes that can be read in pieces: a file on disk, an HTTP resource that answers range requests, ...
 *
 * - `size`: length in bytes, at most 2^53 - 1.
 * - `read(start, end)`: exactly the bytes from `start` up to, not including, `end`.
 */
export interface ByteSource {
  readonly size: number;
  read(start: number, end: number): Promise<ArrayBuffer | Uint8Array>;
}

/** A safetensors file of which only the header was read. Tensors are read one by one, each time they are asked for. */
export class LazySafetensorsFile extends Listing {
  readonly #source: ByteSource;

  constructor(source: ByteSource, directory: Directory) {
    super(directory);
    this.#source = source;
  }

  /**
   * Reads one tensor.
   *
   * @throws TensorNotFoundError, with the nearest names; SafetensorsError UnsupportedDtype for complex and sub-byte
   *   types; SafetensorsError IoError if the source fails
   */
  async get(name: string): Promise<StateTensor> {
    const { start, end, decode } = this.directory.plan(name);
    return decode(await readExactly(this.#source, start, end));
  }

  /**
   * Reads the raw little-endian bytes of a tensor of any dtype.
   *
   * @throws TensorNotFoundError; SafetensorsError IoError if the source fails
   */
  async bytes(name: string): Promise<Uint8Array> {
    const { byteOffset, byteLength } = this.directory.info(name);
    return await readExactly(this.#source, byteOffset, byteOffset + byteLength);
  }
}

/**
 * Opens a safetensors file without reading its tensors. Files above the largest ArrayBuffer (2 GiB in some browsers)
 * work as long as each tensor fits.
 *
 * @param source a Blob or File (in Node: `await fs.openAsBlob(path)`), or any {@link ByteSource}
 * @throws SafetensorsError as parseSafetensors does, and IoError if the source fails
 */
export async function openSafetensors(source: Blob | ByteSource): Promise<LazySafetensorsFile> {
  const bytes = byteSource(source);
  const { size } = bytes;
  const headerLength = readHeaderLength(await readExactly(bytes, 0, Math.min(LENGTH_BYTES, size)), size);
  const dataStart = LENGTH_BYTES + headerLength;
  const header = parseHeader(await readExactly(bytes, LENGTH_BYTES, dataStart), size - dataStart);
  return new LazySafetensorsFile(bytes, new Directory(header, dataStart));
}

function byteSource(source: Blob | ByteSource): ByteSource {
  const { size } = source;
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new SafetensorsError(
      'InvalidArgument',
      `expected a source with its size in bytes (an integer from 0 to 2^53 - 1), got size ${String(size)}. ` +
        'Pass a Blob, a File or an object { size, read(start, end) }.',
    );
  }
  if ('read' in source) return source;
  return { size, read: (start, end) => source.slice(start, end).arrayBuffer() };
}

async function readExactly(source: ByteSource, start: number, end: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = plainBytes(await source.read(start, end));
  } catch (cause) {
    throw new SafetensorsError(
      'IoError',
      `reading bytes ${start} to ${end} failed: ${cause instanceof Error ? cause.message : String(cause)}. ` +
        'The cause of this error holds the details.',
      { cause },
    );
  }
  if (bytes.byteLength !== end - start) {
    throw new SafetensorsError(
      'IoError',
      `reading bytes ${start} to ${end} gave ${bytes.byteLength} bytes instead of ${end - start}. The file changed ` +
        'while it was open, or the source does not honour ranges.',
    );
  }
  return bytes;
}
