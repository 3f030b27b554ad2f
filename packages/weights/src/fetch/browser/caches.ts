import type { CacheOptions, WeightsCache } from '../cache.ts';
import { FetchWeightsError } from '../errors.ts';
import { type BlobStore, memoryStore } from './blobStore.ts';
import { cacheApiStore } from './cacheApiStore.ts';
import { type Locks, localLocks, webLocks } from './locks.ts';
import { opfsStore } from './opfsStore.ts';
import { SegmentedCache } from './segmentedCache.ts';

/** Shared by all caches of this program where the browser has none between tabs. */
let pageLocks: Locks | undefined;

/**
 * The cache of a browser: the origin private file system, or the Cache API where that cannot be written. This is what
 * `fetchWeights` uses there unless it is told otherwise.
 *
 * All caches of a site share one quota, and a browser short of space may clear them; `navigator.storage.persist()` asks it
 * not to.
 *
 * @throws FetchWeightsError CacheUnavailable where there is neither, as in Node
 */
export async function browserCache(options: CacheOptions = {}): Promise<WeightsCache> {
  for (const open of [opfsCache, cacheApiCache]) {
    try {
      return await open(options);
    } catch (error) {
      if (!(error instanceof FetchWeightsError && error.code === 'CacheUnavailable')) throw error;
    }
  }
  throw new FetchWeightsError(
    'CacheUnavailable',
    "there is no place to keep files here. In Node, import fetchWeights from '@saccade/weights/node'; in a browser, " +
      'serve the page over https (or from localhost); anywhere, pass { cache: memoryCache() } to keep files in memory.',
  );
}

/** A cache in the origin private file system. @throws FetchWeightsError CacheUnavailable, InvalidArgument */
export async function opfsCache(options: CacheOptions = {}): Promise<WeightsCache> {
  return inBrowser(await opfsStore(), options);
}

/** A cache in the Cache API. @throws FetchWeightsError CacheUnavailable, InvalidArgument */
export async function cacheApiCache(options: CacheOptions = {}): Promise<WeightsCache> {
  return inBrowser(await cacheApiStore(), options);
}

/** A cache that lasts as long as it is held, anywhere. @throws FetchWeightsError InvalidArgument */
export function memoryCache(options: CacheOptions = {}): WeightsCache {
  return new SegmentedCache(memoryStore(), localLocks(), options);
}

function inBrowser(store: BlobStore, options: CacheOptions): WeightsCache {
  pageLocks ??= 'locks' in navigator ? webLocks(navigator.locks) : localLocks();
  return new SegmentedCache(store, pageLocks, options);
}
