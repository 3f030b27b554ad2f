import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AcquireOptions, CacheOptions, PartialWeights, Placement, StoredWeights, WeightsCache } from '../cache.ts';
import { surplus } from '../cache.ts';
import { checkCacheOptions, checkId } from '../cacheArguments.ts';
import { cacheDirectory } from './cacheDirectory.ts';
import { readEntry, writeEntry } from './entry.ts';
import { codeOf, ifThere, onDisk } from './ioErrors.ts';
import { ENTRY_NAME, FILE_NAME, idsOf, Layout, PARTIAL_NAME } from './layout.ts';
import { DEFAULT_TIMING, LockFile, type LockTiming } from './lockFile.ts';
import { PartialFile, progressOf, removePartial } from './partialFile.ts';
import { removePartials, sweep } from './sweep.ts';

/** Options of {@link fileCache}. */
export interface FileCacheOptions extends CacheOptions {
  /** The folder; it is made if it is not there. Default: {@link cacheDirectory}. */
  readonly directory?: string | undefined;
}

/**
 * A cache of weights in a folder, which any number of processes may use at the same time.
 *
 * A process that dies in the middle of a download is noticed within seconds by one that waits for it, which goes on where
 * the other stopped. Partial files that nobody resumed for a week are removed.
 *
 * @throws FetchWeightsError InvalidArgument
 */
export function fileCache(options: FileCacheOptions = {}): WeightsCache {
  return new FileCache(options, DEFAULT_TIMING);
}

/** See {@link fileCache}; tests choose the times. */
export class FileCache implements WeightsCache {
  readonly #layout: Layout;
  readonly #maxBytes: number;
  readonly #timing: LockTiming;

  constructor(options: FileCacheOptions, timing: LockTiming) {
    this.#maxBytes = checkCacheOptions(options);
    this.#layout = new Layout(resolve(options.directory ?? cacheDirectory()));
    this.#timing = timing;
  }

  async get(id: string): Promise<StoredWeights | undefined> {
    checkId(id);
    return await onDisk(this.#layout.root, async () => {
      const entry = await readEntry(this.#layout, id);
      if (entry === undefined) return undefined;
      const usedAt = new Date();
      await utimes(this.#layout.entry(id), usedAt, usedAt).catch(ignoreReadOnly);
      return { ...entry, usedAt };
    });
  }

  async acquire(id: string, { signal, onWaiting }: AcquireOptions = {}): Promise<PartialWeights> {
    checkId(id);
    signal?.throwIfAborted();
    const layout = this.#layout;
    await onDisk(layout.root, async () => {
      for (const folder of [layout.entries, layout.files, layout.partials]) await mkdir(folder, { recursive: true });
    });
    return await onDisk(layout.root, async () => {
      const lock = await LockFile.acquire(layout.lock(id), this.#timing, {
        signal,
        onWaiting: async (token) => {
          const { received, total } = await progressOf(layout, id, token);
          onWaiting?.(received, total);
        },
        onSilent: (token) => removePartial(layout, id, token),
      });
      try {
        return await PartialFile.open(layout, id, lock, (path, placement) => this.#place(id, path, placement));
      } catch (error) {
        await lock.release();
        throw error;
      }
    });
  }

  async list(): Promise<readonly StoredWeights[]> {
    return await onDisk(this.#layout.root, async () => {
      const names = (await ifThere(readdir(this.#layout.entries))) ?? [];
      const entries = await Promise.all(idsOf(names, ENTRY_NAME).map((id) => readEntry(this.#layout, id)));
      return entries.filter((entry) => entry !== undefined).sort((a, b) => b.usedAt.getTime() - a.usedAt.getTime());
    });
  }

  async delete(id: string): Promise<boolean> {
    checkId(id);
    return await onDisk(this.#layout.root, async () => {
      await removePartials(this.#layout, id, this.#timing);
      return await this.#remove(id);
    });
  }

  async clear(): Promise<void> {
    await onDisk(this.#layout.root, async () => {
      const { entries, files, partials } = this.#layout;
      const entryNames = (await ifThere(readdir(entries))) ?? [];
      for (const id of idsOf(entryNames, ENTRY_NAME)) await rm(this.#layout.entry(id), { force: true });
      const fileNames = (await ifThere(readdir(files))) ?? [];
      for (const sha256 of idsOf(fileNames, FILE_NAME)) await rm(this.#layout.file(sha256), { force: true });
      const partialNames = (await ifThere(readdir(partials))) ?? [];
      for (const id of idsOf(partialNames, PARTIAL_NAME)) await removePartials(this.#layout, id, this.#timing);
    });
  }
  async #place(id: string, path: string, placement: Placement & { readonly size: number }): Promise<StoredWeights> {
    const layout = this.#layout;
    await replace(path, layout.file(placement.sha256), placement.size);
    const entry = await writeEntry(layout, id, placement);
    if (this.#maxBytes !== Number.POSITIVE_INFINITY) {
      for (const other of surplus(await this.list(), this.#maxBytes, id)) await this.#remove(other);
    }
    await sweep(layout, this.#timing);
    return entry;
  }

  /** @returns whether there was such an entry */
  async #remove(id: string): Promise<boolean> {
    const entry = await readEntry(this.#layout, id);
    await rm(this.#layout.entry(id), { force: true });
    if (entry === undefined) return false;
    const shared = (await this.list()).some(({ sha256 }) => sha256 === entry.sha256);
    if (!shared) await rm(this.#layout.file(entry.sha256), { force: true });
    return true;
  }
}

/** Windows does not replace a file that somebody has open; then it has the same content already, by its name. */
async function replace(path: string, destination: string, size: number): Promise<void> {
  try {
    await rename(path, destination);
  } catch (error) {
    const there = codeOf(error) === 'ENOENT' ? undefined : await ifThere(stat(destination));
    if (there?.size !== size) throw error;
  }
}

/** A cache that may only be read is of use as well; its order of use stays what it was. */
function ignoreReadOnly(error: unknown): void {
  if (!['EROFS', 'EACCES', 'EPERM', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
}
