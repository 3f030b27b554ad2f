import { createHash } from 'node:crypto';
import { byteSource, readExactly } from '../../source/byteSource.ts';
import { rejection } from '../../testing/rejection.ts';
import { memoryCache } from '../browser/caches.ts';
import type { StoredWeights, WeightsCache } from '../cache.ts';
import { FetchWeightsError } from '../errors.ts';
import type { FetchedWeights, FetchProgress, FetchWeightsOptions } from '../options.ts';
import { fetchWeights } from '../portable.ts';
import { type Handler, type ServedFile, serveFile, TestServer } from './server.ts';

/** What came of one call, when it is over. */
export interface Outcome {
  readonly server: TestServer;
  readonly cache: WeightsCache;
  readonly progress: readonly FetchProgress[];
  readonly result: Promise<FetchedWeights>;
}

/** Fetches `/model.bin` from a server of its own, which is closed afterwards, with short waits. */
export async function fetchFrom(served: ServedFile | Handler, options: FetchWeightsOptions = {}): Promise<Outcome> {
  const server = await TestServer.start(typeof served === 'function' ? served : serveFile(served));
  const cache = options.cache ?? memoryCache();
  const progress: FetchProgress[] = [];
  const onProgress = (step: FetchProgress) => {
    progress.push(step);
    options.onProgress?.(step);
    server.delivered(step);
  };
  const result = fetchWeights(server.url, { cache, backoffMs: 1, stallMs: 5000, ...options, onProgress });
  // Whether it fails is for the test to judge; here only the end matters.
  await result.catch(() => undefined);
  await server.close();
  return { server, cache, progress, result };
}

/** The code of the FetchWeightsError with which `result` is rejected. */
export async function codeOf(result: Promise<unknown>): Promise<string> {
  return (await rejection(result, FetchWeightsError)).code;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The hash of the bytes that can be read, whatever is claimed of them. */
export async function contentOf({ source, size }: Pick<StoredWeights, 'source' | 'size'>): Promise<string> {
  return sha256Of(await readExactly(byteSource(source), 0, size));
}

/** The FetchWeightsError that `run` throws. Anything else it throws, and a normal return, fails the test. */
export function errorOf(run: () => unknown): FetchWeightsError {
  try {
    run();
  } catch (error) {
    if (error instanceof FetchWeightsError) return error;
    throw error;
  }
  throw new Error('expected a FetchWeightsError, nothing was thrown');
}
