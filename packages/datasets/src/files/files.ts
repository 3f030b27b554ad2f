import type { ByteSource } from '@saccade/weights';
import { DatasetError } from '../errors.ts';

/** A name in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder';
}

/** What lies at a path. */
export interface FileStat {
  readonly kind: 'file' | 'folder';
  /** bytes; 0 for a folder */
  readonly size: number;
}

/** A file that is read in parts, until it is closed. */
export interface OpenedFile extends ByteSource {
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Options of reading. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** files above this are refused before they are read; default 2 GiB */
  readonly maxBytes?: number | undefined;
}

/**
 * The files below the root of a data set: a folder on disk (`nodeFiles`), files a user chose in a browser (`blobFiles`), an
 * object store, ...
 *
 * Paths are relative to the root, with `/`; the root itself is `''`. Implementations refuse every path that leaves the root
 * with a {@link DatasetError} `path`, also by way of a symbolic link, and report a file that is not there as `missing`.
 */
export interface Files {
  /** What lies in a folder, sorted by name (code units). */
  list(folder: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly FolderEntry[]>;
  /** Undefined if nothing lies there. */
  stat(path: string): Promise<FileStat | undefined>;
  /** A whole file. */
  read(path: string, options?: ReadOptions): Promise<Uint8Array>;
  /** Opens a file that is too long to be taken into memory, or of which only parts are needed: videos, long lists. */
  open(path: string): Promise<OpenedFile>;
}

/** The largest file that `read` takes into memory unless told otherwise. */
export const DEFAULT_MAX_BYTES = 2 * 2 ** 30;

/** The error for a file that is not there. */
export function missingFile(path: string, cause?: unknown, actual = 'no such file'): DatasetError {
  return new DatasetError({
    code: 'missing',
    argument: path,
    expected: 'a readable file',
    actual,
    hint: 'Check the root of the data set and its layout.',
    cause,
  });
}

/** The error for a file that is larger than the reader allows. */
export function tooLarge(path: string, size: number, maxBytes: number): DatasetError {
  return new DatasetError({
    code: 'annotation',
    argument: path,
    expected: `at most ${maxBytes} bytes`,
    actual: `${size} bytes`,
    hint: 'This is not the file that the format describes, or maxBytes is too low for it.',
  });
}
