import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSource } from './byteSource.ts';
import { messageOf, SourceError } from './errors.ts';

/** The most that one call of the operating system reads; Node refuses 2 GiB and more. */
const MAX_READ_BYTES = 2 ** 30;

/** A file that stays open until {@link close}. `await using file = await openFile(path)` closes it by itself. */
export class FileSource implements ByteSource, AsyncDisposable {
  readonly path: string;
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #modified: bigint;
  #closed = false;

  constructor(path: string, handle: FileHandle, size: number, modified: bigint) {
    this.path = path;
    this.#handle = handle;
    this.size = size;
    this.#modified = modified;
  }

  /**
   * Reads bytes `start` up to, not including, `end`. Any number of reads may run at once.
   *
   * @throws SourceError Closed, OutOfBounds, Changed if the file was written to since it was opened, IoError
   */
  async read(start: number, end: number): Promise<Uint8Array> {
    if (this.#closed) throw this.#error('Closed', 'the file was closed. Keep it open until the last tensor is read.');
    if (!(start >= 0 && start <= end && end <= this.size)) {
      throw this.#error('OutOfBounds', `bytes ${start} to ${end} of ${this.size} were asked for.`);
    }
    try {
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      while (filled < bytes.byteLength) {
        const length = Math.min(bytes.byteLength - filled, MAX_READ_BYTES);
        const { bytesRead } = await this.#handle.read(bytes, filled, length, start + filled);
        if (bytesRead === 0) throw this.#error('Changed', `it ends at byte ${start + filled}, it had ${this.size}.`);
        filled += bytesRead;
      }
      const { mtimeNs } = await this.#handle.stat({ bigint: true });
      if (mtimeNs !== this.#modified) throw this.#error('Changed', 'it was written to since it was opened.');
      return bytes;
    } catch (cause) {
      if (cause instanceof SourceError) throw cause;
      throw this.#error('IoError', `reading bytes ${start} to ${end} failed: ${messageOf(cause)}.`, { cause });
    }
  }

  /** Closes the file once the reads that are under way have ended. Closing twice does no harm. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #error(code: ConstructorParameters<typeof SourceError>[0], text: string, options?: ErrorOptions): SourceError {
    return new SourceError(code, `${this.path}: ${text}`, options);
  }
}

/**
 * Opens a file on disk for reading in pieces, of any size.
 *
 * @throws SourceError IoError if it cannot be opened, or is no regular file
 * @example
 * await using source = await openFile('model.safetensors');
 * const file = await openSafetensors(source);
 */
export async function openFile(path: string): Promise<FileSource> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, which Windows does not have, opening a named pipe would wait for its writer.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new Error('this is no regular file');
    return new FileSource(path, handle, Number(stats.size), stats.mtimeNs);
  } catch (cause) {
    await handle?.close();
    throw new SourceError('IoError', `${path} could not be opened: ${messageOf(cause)}. Check the path.`, { cause });
  }
}
