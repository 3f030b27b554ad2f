import { type ByteSource, byteSource, readExactly, type SourceInput } from '../source/byteSource.ts';
import { SourceError } from '../source/errors.ts';
import type { StateTensor } from '../stateTensor.ts';
import { type ReadOptions, readAll, type WeightsFile } from '../weightsFile.ts';
import { Directory, Listing } from './directory.ts';
import { SafetensorsError } from './errors.ts';
import { LENGTH_BYTES, parseHeader, readHeaderLength } from './header.ts';

/** A safetensors file of which only the header was read. Tensors are read one by one, each time they are asked for. */
export class LazySafetensorsFile extends Listing implements WeightsFile {
  readonly format = 'safetensors';
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
    return decode(await readBytes(this.#source, start, end));
  }

  /**
   * Reads the raw little-endian bytes of a tensor of any dtype.
   *
   * @throws TensorNotFoundError; SafetensorsError IoError if the source fails
   */
  async bytes(name: string): Promise<Uint8Array> {
    const { byteOffset, byteLength } = this.directory.info(name);
    return await readBytes(this.#source, byteOffset, byteOffset + byteLength);
  }

  /** All tensors by name, read one after the other. @throws as {@link get}; the signal's reason if aborted */
  async toStateDict(options?: ReadOptions): Promise<Map<string, StateTensor>> {
    return await readAll(this, options);
  }
}

/**
 * Opens a safetensors file without reading its tensors. Files above the largest ArrayBuffer (2 GiB in some browsers)
 * work as long as each tensor fits.
 *
 * @param source a Blob or File, bytes in memory, or any {@link ByteSource}: openUrl, spoolStream and, in Node, openFile
 *   make them
 * @throws SafetensorsError as parseSafetensors does, and IoError if the source fails
 */
export async function openSafetensors(source: SourceInput): Promise<LazySafetensorsFile> {
  const bytes = sourceOf(source);
  const { size } = bytes;
  const headerLength = readHeaderLength(await readBytes(bytes, 0, Math.min(LENGTH_BYTES, size)), size);
  const dataStart = LENGTH_BYTES + headerLength;
  const header = parseHeader(await readBytes(bytes, LENGTH_BYTES, dataStart), size - dataStart);
  return new LazySafetensorsFile(bytes, new Directory(header, dataStart));
}

function sourceOf(input: SourceInput): ByteSource {
  try {
    return byteSource(input);
  } catch (error) {
    throw asSafetensorsError(error);
  }
}

async function readBytes(source: ByteSource, start: number, end: number): Promise<Uint8Array> {
  try {
    return await readExactly(source, start, end);
  } catch (error) {
    throw asSafetensorsError(error);
  }
}

/** The fault of a source, as this reader reports it; an abort stays what it is. */
function asSafetensorsError(error: unknown): unknown {
  if (!(error instanceof SourceError)) return error;
  const code = error.code === 'InvalidArgument' ? 'InvalidArgument' : 'IoError';
  return new SafetensorsError(code, error.detail, { cause: error.code === 'IoError' ? error.cause : error });
}
