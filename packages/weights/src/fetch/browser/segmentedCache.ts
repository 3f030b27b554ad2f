import type { AcquireOptions, CacheOptions, PartialWeights, Placement, StoredWeights, WeightsCache } from '../cache.ts';
import { surplus } from '../cache.ts';
import { checkCacheOptions, checkId } from '../cacheArguments.ts';
import type { BlobStore } from './blobStore.ts';
import type { Locks } from './locks.ts';
import { Records } from './records.ts';
import { SegmentedPartial } from './segmentedPartial.ts';

/** After this, a cut download is not resumed any more. */
const LONGEST_PAUSE_MS = 7 * 24 * 3_600_000;

/**
 * A cache in a store that can only replace whole entries: files are kept in segments, so that a cut download loses little
 * and the store never copies what it has. Placing a file means writing its record, which names the segments.
 */
export class SegmentedCache implements WeightsCache {
  readonly #records: Records;
  readonly #locks: Locks;
  readonly #maxBytes: number;
  readonly #pollMs: number;

  constructor(store: BlobStore, locks: Locks, options: CacheOptions, pollMs = 250) {
    this.#maxBytes = checkCacheOptions(options);
    this.#records = new Records(store);
    this.#locks = locks;
    this.#pollMs = pollMs;
  }

  async get(id: string): Promise<StoredWeights | undefined> {
    checkId(id);
    const found = await this.#records.entry(id);
    if (found === undefined) return undefined;
    const usedAt = new Date();
    await this.#records.touch(id, usedAt);
    return { ...found.stored, usedAt };
  }

  async acquire(id: string, { signal, onWaiting }: AcquireOptions = {}): Promise<PartialWeights> {
    checkId(id);
    const release = await this.#wait(id, signal, onWaiting);
    try {
      return await SegmentedPartial.open(this.#records, id, release, (placement, token, sizes) =>
        this.#place(id, placement, token, sizes),
      );
    } catch (error) {
      release();
      throw error;
    }
  }

  async list(): Promise<readonly StoredWeights[]> {
    const entries = await Promise.all((await this.#records.entryIds()).map((id) => this.#records.entry(id)));
    return entries.flatMap((entry) => entry?.stored ?? []).sort((a, b) => b.usedAt.getTime() - a.usedAt.getTime());
  }

  async delete(id: string): Promise<boolean> {
    checkId(id);
    await this.#removePartial(id);
    const there = (await this.#records.entry(id)) !== undefined;
    await this.#records.removeEntry(id);
    return there;
  }

  async clear(): Promise<void> {
    for (const id of await this.#records.entryIds()) await this.#records.removeEntry(id);
    for (const id of await this.#records.partialIds()) await this.#removePartial(id);
  }

  async #wait(id: string, signal: AbortSignal | undefined, onWaiting: AcquireOptions['onWaiting']) {
    let asking = false;
    let over = false;
    const timer = setInterval(async () => {
      if (asking || onWaiting === undefined) return;
      asking = true;
      // A look at what another tab does, at a moment when it may just be removing it.
      const progress = await this.#records.partialProgress(id).catch(() => undefined);
      asking = false;
      if (!over) onWaiting(progress?.received ?? 0, progress?.total);
    }, this.#pollMs);
    try {
      return await this.#locks.acquire(lockName(id), signal);
    } finally {
      over = true;
      clearInterval(timer);
    }
  }

  async #place(id: string, placement: Placement, token: string, sizes: readonly number[]): Promise<StoredWeights> {
    const before = (await this.#records.entry(id))?.token;
    const stored = await this.#records.writeEntry(id, placement, token, sizes);
    if (before !== undefined && before !== token) await this.#records.removeSegments(before);
    if (this.#maxBytes !== Number.POSITIVE_INFINITY) {
      for (const other of surplus(await this.list(), this.#maxBytes, id)) await this.#records.removeEntry(other);
    }
    const forgotten = Date.now() - LONGEST_PAUSE_MS;
    for (const other of await this.#records.partialIds()) {
      const partial = other === id ? undefined : await this.#records.partial(other);
      if (partial && partial.begunAt.getTime() < forgotten) await this.#removePartial(other);
    }
    return stored;
  }

  async #removePartial(id: string): Promise<void> {
    const release = await this.#locks.tryAcquire(lockName(id));
    if (release === undefined) return;
    try {
      await this.#records.removePartial(id);
    } finally {
      release();
    }
  }
}

function lockName(id: string): string {
  return `saccade-weights:${id}`;
}
