import { FetchWeightsError } from '../errors.ts';
import { type BlobStore, inStore } from './blobStore.ts';

const CACHE = 'saccade-weights';

/** Never requested: names in a Cache have the form of addresses. */
const PREFIX = '/.saccade-weights/';

/**
 * The Cache API, which every browser has. A Blob from it is held by the browser, in memory or on disk as it likes.
 *
 * @throws FetchWeightsError CacheUnavailable where it is missing or closed (insecure pages, some private windows)
 */
export async function cacheApiStore(): Promise<BlobStore> {
  if (!('caches' in globalThis)) throw unavailable('the page is not a secure context');
  let cache: Cache;
  try {
    cache = await caches.open(CACHE);
  } catch (cause) {
    throw unavailable(String(cause), { cause });
  }
  return {
    read: (name) => inStore(async () => await (await cache.match(PREFIX + name))?.blob()),
    write: (name, content) => inStore(() => cache.put(PREFIX + name, new Response(content))),
    remove: (name) => inStore(async () => void (await cache.delete(PREFIX + name))),
    names: () =>
      inStore(async () =>
        (await cache.keys())
          .map(({ url }) => new URL(url).pathname)
          .filter((path) => path.startsWith(PREFIX))
          .map((path) => path.slice(PREFIX.length)),
      ),
  };
}

function unavailable(reason: string, options?: ErrorOptions): FetchWeightsError {
  return new FetchWeightsError(
    'CacheUnavailable',
    `there is no Cache API here: ${reason}. Serve the page over https, or use memoryCache().`,
    options,
  );
}
