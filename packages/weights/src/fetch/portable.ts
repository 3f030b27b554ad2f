import { browserCache } from './browser/caches.ts';
import { type FetchWeights, fetchWeightsOn } from './fetchWeights.ts';
import { portableSha256 } from './hash.ts';

/**
 * See {@link FetchWeights}. Files are kept in {@link browserCache}; in Node, take this function from
 * `@saccade/weights/node`, which keeps them on disk and lets processes share downloads.
 */
export const fetchWeights: FetchWeights = fetchWeightsOn({
  createSha256: portableSha256,
  defaultCache: () => browserCache(),
});
