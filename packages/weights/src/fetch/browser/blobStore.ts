import { FetchWeightsError } from '../errors.ts';

/** A place that keeps bytes under names, such as browsers have. Names consist of letters, digits, `.` and `-`. */
export interface BlobStore {
  read(name: string): Promise<Blob | undefined>;
  /** Whoever reads at the same time sees what was there before, or all of it. */
  write(name: string, content: Blob): Promise<void>;
  /** What is not there is removed already. */
  remove(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}

/** A store that lasts as long as it is held. */
export function memoryStore(): BlobStore {
  const blobs = new Map<string, Blob>();
  return {
    read: async (name) => blobs.get(name),
    write: async (name, content) => void blobs.set(name, content),
    remove: async (name) => void blobs.delete(name),
    names: async () => [...blobs.keys()],
  };
}

/**
 * Runs operations of a browser's store and names their failures.
 *
 * @throws FetchWeightsError NoSpace, CacheIo
 */
export async function inStore<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : '';
    if (name === 'QuotaExceededError') {
      throw new FetchWeightsError(
        'NoSpace',
        'the browser gives this site no more space. Remove cached files (cache.delete, cache.clear), limit the cache ' +
          '(maxBytes), or free space on the disk. What was downloaded so far is kept and will be resumed.',
        { cause },
      );
    }
    throw new FetchWeightsError(
      'CacheIo',
      `the storage of the browser failed: ${String(cause)}. The cause of this error holds the details.`,
      { cause },
    );
  }
}
