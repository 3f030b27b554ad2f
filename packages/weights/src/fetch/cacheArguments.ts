import { quote } from '../weightsError.ts';
import type { CacheOptions } from './cache.ts';
import { FetchWeightsError } from './errors.ts';
import { isSha256 } from './options.ts';

/** @throws FetchWeightsError InvalidArgument */
export function checkId(id: string): void {
  if (isSha256(id)) return;
  throw new FetchWeightsError(
    'InvalidArgument',
    `${quote(String(id))} is not the id of a cached file (64 hexadecimal digits). Use weightsId(url), or an id from list().`,
  );
}

/** @returns maxBytes @throws FetchWeightsError InvalidArgument */
export function checkCacheOptions({ maxBytes = Number.POSITIVE_INFINITY }: CacheOptions): number {
  if (maxBytes >= 0) return maxBytes;
  throw new FetchWeightsError(
    'InvalidArgument',
    `maxBytes should be a number from 0 on, got ${quote(String(maxBytes))}.`,
  );
}
