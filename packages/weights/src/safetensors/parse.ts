import { isBytes, plainBytes } from '../source/byteSource.ts';
import type { StateTensor } from '../stateTensor.ts';
import { Directory, Listing } from './directory.ts';
import { SafetensorsError } from './errors.ts';
import { LENGTH_BYTES, parseHeader, readHeaderLength } from './header.ts';

/**
 * A safetensors file in memory. The header was checked as a whole; tensors are made when asked for.
 *
 * Tensors are views of the file's bytes wherever that is possible (see {@link StateTensor} for the types that are
 * decoded instead): they cost nothing, keep the file alive, and writing into one changes the others that are made of
 * the same bytes. Copy (`data.slice()`) before writing.
 */
export class SafetensorsFile extends Listing {
  readonly #bytes: Uint8Array;
  readonly #size: number;

  constructor(bytes: Uint8Array, directory: Directory) {
    super(directory);
    this.#bytes = bytes;
    this.#size = bytes.byteLength;
  }

  /**
   * One tensor.
   *
   * @throws TensorNotFoundError, with the nearest names; SafetensorsError UnsupportedDtype for complex and sub-byte
   *   types; SafetensorsError IoError if the buffer was resized or transferred after parsing
   */
  get(name: string): StateTensor {
    const { start, end, decode } = this.directory.plan(name);
    return decode(this.#range(start, end));
  }

  /**
   * The raw little-endian bytes of a tensor of any dtype: a view, like everything here.
   *
   * @throws TensorNotFoundError; SafetensorsError IoError as in {@link get}
   */
  bytes(name: string): Uint8Array {
    const { byteOffset, byteLength } = this.directory.info(name);
    return this.#range(byteOffset, byteOffset + byteLength);
  }

  /**
   * All tensors by name, in the order of {@link names}.
   *
   * @throws SafetensorsError UnsupportedDtype if one of them cannot be carried
   */
  toStateDict(): Map<string, StateTensor> {
    return new Map(this.names.map((name) => [name, this.get(name)]));
  }

  #range(start: number, end: number): Uint8Array {
    if (this.#bytes.byteLength !== this.#size) {
      throw new SafetensorsError(
        'IoError',
        `the buffer had ${this.#size} bytes when the file was parsed and has ${this.#bytes.byteLength} now. ` +
          'Keep it until the last tensor is read, and neither resize nor transfer it.',
      );
    }
    return this.#bytes.subarray(start, end);
  }
}

/**
 * Opens a safetensors file that is in memory.
 *
 * A file from anywhere either gives a SafetensorsFile or a SafetensorsError, in time and memory bounded by its size; no
 * tensor data is touched.
 *
 * @param bytes the whole file (a Node Buffer is fine)
 * @throws SafetensorsError; its `code` says what is wrong (see {@link SafetensorsErrorCode})
 * @example
 * const file = parseSafetensors(await (await fetch(url)).arrayBuffer());
 * const { shape, data } = file.get('head.weight');
 */
export function parseSafetensors(bytes: ArrayBuffer | Uint8Array): SafetensorsFile {
  if (!isBytes(bytes)) {
    throw new SafetensorsError(
      'InvalidArgument',
      `expected the file as an ArrayBuffer or Uint8Array, got ${bytes === null ? 'null' : typeof bytes}. ` +
        'Read it first (`await file.arrayBuffer()`, `await readFile(path)`), or use openSafetensors for a Blob.',
    );
  }
  const file = plainBytes(bytes);
  const headerLength = readHeaderLength(file.subarray(0, LENGTH_BYTES), file.byteLength);
  const dataStart = LENGTH_BYTES + headerLength;
  const header = parseHeader(file.subarray(LENGTH_BYTES, dataStart), file.byteLength - dataStart);
  return new SafetensorsFile(file, new Directory(header, dataStart));
}
