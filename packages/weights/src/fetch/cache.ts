import type { ByteSource } from '../source/byteSource.ts';

/** A file in a cache. */
export interface StoredWeights {
  /** See {@link weightsId}. */
  readonly id: string;
  /** Where it came from, without the query of the URL. */
  readonly url: string;
  /** SHA-256 of its bytes, as they were when it was placed: 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly storedAt: Date;
  /** When it was last fetched. The one that was not for longest is the first to go when the cache is full. */
  readonly usedAt: Date;
  /** The bytes, to be passed to any reader of this package. Nothing has to be closed. */
  readonly source: Blob | ByteSource;
  /** Where it lies on disk, in Node's file cache. */
  readonly path?: string;
}

/** What the server said about the file whose first bytes a partial download holds. */
export interface Version {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** Bytes of the whole file. */
  readonly total: number | undefined;
  /** SHA-256 of the whole file, where the server names it. */
  readonly sha256: string | undefined;
}

/** What is known of a file when it is placed. */
export interface Placement {
  readonly url: string;
  readonly sha256: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/**
 * The exclusive right to download one file, and the bytes that are there. It belongs to one caller, which ends it with
 * `commit`, `discard` or `release`.
 *
 * Its methods throw FetchWeightsError NoSpace or CacheIo, and {@link LostRightError} once another process has taken the
 * right away.
 */
export interface PartialWeights {
  /** Bytes that are there: those of a cut download, at first. */
  readonly size: number;
  /** What they are the first bytes of; undefined when that is not known, and they are of no use. */
  readonly version: Version | undefined;
  /** The bytes that are there, from the first on. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Throws away what is there and begins anew; without `version`, what comes cannot be resumed by a later call. */
  restart(version: Version | undefined): Promise<void>;
  append(chunk: Uint8Array): Promise<void>;
  /** Places the file: other readers see all of it, or still what was there before. Gives up the right. */
  commit(placement: Placement): Promise<StoredWeights>;
  /** Removes what is there and gives up the right. */
  discard(): Promise<void>;
  /** Gives up the right and keeps what is there, for a later call to resume. */
  release(): Promise<void>;
}

export interface AcquireOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called from time to time while another process (or tab, or call) downloads this file. */
  readonly onWaiting?: ((received: number, total: number | undefined) => void) | undefined;
}

/**
 * Where downloaded files are kept. This package brings one for Node (`fileCache`), two for browsers (`opfsCache`,
 * `cacheApiCache`) and one in memory (`memoryCache`); others may be written.
 *
 * Every method throws FetchWeightsError CacheIo if the store fails, CacheUnavailable if there is none.
 */
export interface WeightsCache {
  /** The file of that id, and marks it as used; undefined if it is not there, not complete, or its description is broken. */
  get(id: string): Promise<StoredWeights | undefined>;
  /**
   * Waits until nobody else downloads the file of that id, then gives the right to. The caller looks again whether the
   * file is there by now.
   *
   * @throws the signal's reason if aborted
   */
  acquire(id: string, options?: AcquireOptions): Promise<PartialWeights>;
  /** Complete files, the one used last first. */
  list(): Promise<readonly StoredWeights[]>;
  /** Removes a file, and what a cut download of it left. @returns whether the file was there */
  delete(id: string): Promise<boolean>;
  /** Removes everything that nobody is downloading. */
  clear(): Promise<void>;
}

/** Options that every cache has. */
export interface CacheOptions {
  /**
   * The most bytes of complete files. Beyond, placing a file removes those that were not used for longest; the file that
   * is placed stays even if it alone is larger. Default: no limit.
   */
  readonly maxBytes?: number | undefined;
}

/**
 * Another process took this one for dead and took over the download: its clock stood still for long, as when a computer
 * sleeps or a program computes without pause. Nothing is broken; `fetchWeights` queues up again.
 */
export class LostRightError extends Error {
  override readonly name = 'LostRightError';
}

/** The files to remove so that the rest, `keep` among them, has at most `maxBytes`. */
export function surplus(
  files: readonly Pick<StoredWeights, 'id' | 'sha256' | 'size' | 'usedAt'>[],
  maxBytes: number,
  keep: string,
): string[] {
  const removed: string[] = [];
  // Two entries with the same content are stored once, where the cache does so; counting it twice errs on the safe side.
  let total = files.reduce((sum, { size }) => sum + size, 0);
  const oldestFirst = [...files].sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime());
  for (const { id, size } of oldestFirst) {
    if (total <= maxBytes) break;
    if (id === keep) continue;
    removed.push(id);
    total -= size;
  }
  return removed;
}
