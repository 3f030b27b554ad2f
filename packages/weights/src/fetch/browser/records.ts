import type { Placement, StoredWeights, Version } from '../cache.ts';
import { isSha256 } from '../options.ts';
import type { BlobStore } from './blobStore.ts';

/** Changes when older versions of this package could not read it any more. */
const FORMAT = 1;

interface Entry {
  readonly stored: StoredWeights;
  readonly token: string;
}

interface Partial {
  readonly token: string;
  readonly version: Version | undefined;
  readonly begunAt: Date;
  readonly segments: readonly Blob[];
}

/**
 * What a {@link SegmentedCache} keeps in its store.
 *
 * | name | content |
 * |---|---|
 * | `<id>.entry` | JSON: what is known of a complete file, and which segments it consists of |
 * | `<id>.used` | the time of its last use |
 * | `<id>.partial` | JSON: what a download is the beginning of |
 * | `<token>-<n>` | the n-th segment of the download of that token |
 */
export class Records {
  readonly #store: BlobStore;

  constructor(store: BlobStore) {
    this.#store = store;
  }

  /** Undefined if it is not there, malformed, or a segment is missing or has another size. */
  async entry(id: string): Promise<Entry | undefined> {
    const json = await this.#json(`${id}.entry`);
    const { format, url, sha256, etag, lastModified, storedAt, token, sizes } = json ?? {};
    const stored = new Date(String(storedAt));
    const wellFormed =
      format === FORMAT && typeof url === 'string' && isSha256(sha256) && isToken(token) && Array.isArray(sizes);
    if (!wellFormed || Number.isNaN(stored.getTime())) return undefined;
    const segments = await this.#segments(token, sizes.length);
    if (!sizes.every((size, index) => segments[index]?.size === size)) return undefined;
    const used = new Date((await (await this.#store.read(`${id}.used`))?.text()) ?? '');
    const source = new Blob([...segments]);
    return {
      token,
      stored: {
        id,
        url,
        sha256,
        size: source.size,
        etag: text(etag),
        lastModified: text(lastModified),
        storedAt: stored,
        usedAt: Number.isNaN(used.getTime()) ? stored : used,
        source,
      },
    };
  }

  async writeEntry(id: string, placement: Placement, token: string, sizes: readonly number[]): Promise<StoredWeights> {
    const storedAt = new Date();
    await this.#write(`${id}.entry`, { format: FORMAT, ...placement, storedAt, token, sizes });
    await this.touch(id, storedAt);
    await this.#store.remove(`${id}.partial`);
    const source = new Blob([...(await this.#segments(token, sizes.length))]);
    return { ...placement, id, size: source.size, storedAt, usedAt: storedAt, source };
  }

  async touch(id: string, usedAt: Date): Promise<void> {
    await this.#store.write(`${id}.used`, new Blob([usedAt.toISOString()]));
  }

  async removeEntry(id: string): Promise<void> {
    const token = (await this.#json(`${id}.entry`))?.token;
    await this.#store.remove(`${id}.entry`);
    await this.#store.remove(`${id}.used`);
    if (isToken(token)) await this.removeSegments(token);
  }

  async entryIds(): Promise<string[]> {
    return this.#ids(/^([0-9a-f]{64})\.entry$/);
  }

  async partialIds(): Promise<string[]> {
    return this.#ids(/^([0-9a-f]{64})\.partial$/);
  }

  async partial(id: string): Promise<Partial | undefined> {
    const { token, version, begunAt } = (await this.#json(`${id}.partial`)) ?? {};
    if (!isToken(token)) return undefined;
    const begun = new Date(String(begunAt));
    const segments = await this.#segments(token);
    return {
      token,
      version: versionOf(version),
      segments,
      begunAt: Number.isNaN(begun.getTime()) ? new Date(0) : begun,
    };
  }

  /** How many bytes another tab has stored of a download, and of how many. */
  async partialProgress(id: string): Promise<{ received: number; total: number | undefined } | undefined> {
    const partial = await this.partial(id);
    return (
      partial && {
        received: partial.segments.reduce((sum, { size }) => sum + size, 0),
        total: partial.version?.total,
      }
    );
  }

  async writePartial(id: string, token: string, version: Version | undefined): Promise<void> {
    await this.#write(`${id}.partial`, { token, version, begunAt: new Date() });
  }

  async removePartial(id: string): Promise<void> {
    const token = (await this.#json(`${id}.partial`))?.token;
    await this.#store.remove(`${id}.partial`);
    if (isToken(token)) await this.removeSegments(token);
  }

  async writeSegment(token: string, index: number, content: Blob): Promise<void> {
    await this.#store.write(`${token}-${index}`, content);
  }

  async removeSegments(token: string): Promise<void> {
    for (const name of await this.#store.names()) {
      if (name.startsWith(`${token}-`)) await this.#store.remove(name);
    }
  }

  /** The first `count` segments, or as many as are there. */
  async #segments(token: string, count = Number.POSITIVE_INFINITY): Promise<readonly Blob[]> {
    const segments: Blob[] = [];
    while (segments.length < count) {
      const segment = await this.#store.read(`${token}-${segments.length}`);
      if (segment === undefined) break;
      segments.push(segment);
    }
    return segments;
  }

  async #ids(pattern: RegExp): Promise<string[]> {
    return (await this.#store.names()).flatMap((name) => pattern.exec(name)?.[1] ?? []);
  }

  async #json(name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const blob = await this.#store.read(name);
    if (blob === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(await blob.text());
      return typeof value === 'object' && value !== null ? { ...value } : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #write(name: string, value: object): Promise<void> {
    await this.#store.write(name, new Blob([JSON.stringify(value)]));
  }
}

function versionOf(value: unknown): Version | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { etag, lastModified, total, sha256 } = value as Record<string, unknown>;
  return {
    etag: text(etag),
    lastModified: text(lastModified),
    total: Number.isSafeInteger(total) ? (total as number) : undefined,
    sha256: isSha256(sha256) ? sha256 : undefined,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value);
}
