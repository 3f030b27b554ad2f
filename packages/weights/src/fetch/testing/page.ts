import {
  browserCache,
  cacheApiCache,
  type FetchProgress,
  FetchWeightsError,
  type FetchWeightsOptions,
  fetchWeights,
  openSafetensors,
  opfsCache,
  serializeSafetensors,
} from '../../index.ts';
import { portableSha256 } from '../hash.ts';
import { exerciseCache } from './exercise.ts';

// What the tests run inside a browser: the whole entry of the package, which must do without Node's modules.

const CACHES = { browser: browserCache, cacheApi: cacheApiCache, opfs: opfsCache };
export type CacheName = keyof typeof CACHES;

export async function exercise(cache: CacheName) {
  return await exerciseCache(CACHES[cache]);
}

/** The file, or the code of the error; and what was reported on the way. */
export async function fetchFile(url: string, options: Omit<FetchWeightsOptions, 'cache'>, cache?: CacheName) {
  const progress: FetchProgress[] = [];
  const started = performance.now();
  try {
    const weights = await fetchWeights(url, {
      backoffMs: 1,
      ...options,
      onProgress: (step) => progress.push(step),
      ...(cache && { cache: await CACHES[cache]() }),
    });
    const hash = portableSha256();
    hash.update(new Uint8Array(await new Response(weights.source as Blob).arrayBuffer()));
    const { size, sha256, fromCache, etag } = weights;
    return { size, sha256, fromCache, etag, content: hash.digest(), progress, ms: performance.now() - started };
  } catch (error) {
    if (error instanceof FetchWeightsError) return { code: error.code, message: error.message, progress };
    throw error;
  }
}

/** Begins a download and does not wait for it. @returns once `bytes` have arrived */
export async function begin(url: string, bytes: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onProgress = ({ received }: FetchProgress) => received >= bytes && resolve();
    fetchWeights(url, { onProgress, stallMs: 60_000 }).catch(reject);
  });
}

/** What lies in the two stores of this site. */
export async function stores() {
  const root = await navigator.storage.getDirectory();
  let opfs = 0;
  try {
    for await (const _ of (await root.getDirectoryHandle('saccade-weights')).keys()) opfs++;
  } catch (error) {
    if ((error as Error).name !== 'NotFoundError') throw error;
  }
  const cache = await caches.open('saccade-weights');
  return { opfs, cacheApi: (await cache.keys()).length };
}

/** Makes this browser one that cannot write files of its own. */
export function forgetOpfs(): void {
  Reflect.deleteProperty(FileSystemFileHandle.prototype, 'createWritable');
}

/** Reads one tensor of a file that was fetched. */
export async function readTensor(url: string, name: string): Promise<number[]> {
  const weights = await fetchWeights(url);
  const file = await openSafetensors(weights.source);
  return [...((await file.get(name)).data as Float32Array)];
}

export function tensorFile(): Uint8Array {
  const data = Float32Array.of(1, 2, 3);
  return serializeSafetensors({ 'head.bias': { dtype: 'float32', shape: [3], data } });
}
