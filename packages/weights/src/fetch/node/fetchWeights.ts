import { createHash } from 'node:crypto';
import { type FetchWeights, fetchWeightsOn } from '../fetchWeights.ts';
import { fileCache } from './fileCache.ts';

/** See {@link FetchWeights}. Files are kept in {@link fileCache}. */
export const fetchWeights: FetchWeights = fetchWeightsOn({
  createSha256: () => {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  },
  defaultCache: async () => fileCache(),
});
