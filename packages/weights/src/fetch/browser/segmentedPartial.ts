import type { PartialWeights, Placement, StoredWeights, Version } from '../cache.ts';
import type { Records } from './records.ts';

/** So much is lost, at most, when a tab is closed in the middle; and so much memory is taken. */
const SEGMENT_BYTES = 16 * 2 ** 20;

type Place = (placement: Placement, token: string, sizes: readonly number[]) => Promise<StoredWeights>;

/** The beginning of a file, in segments, and the lock that says whose it is. */
export class SegmentedPartial implements PartialWeights {
  readonly #records: Records;
  readonly #id: string;
  readonly #unlock: () => void;
  readonly #place: Place;
  #token: string;
  #version: Version | undefined;
  #sizes: number[];
  /** What does not fill a segment yet. */
  #pending = new Uint8Array(0);
  #filled = 0;
  #ended = false;

  private constructor(records: Records, id: string, unlock: () => void, place: Place, found: Found) {
    this.#records = records;
    this.#id = id;
    this.#unlock = unlock;
    this.#place = place;
    this.#token = found.token;
    this.#version = found.version;
    this.#sizes = found.sizes;
  }

  /** Takes over what a cut download of the file left, if anything. */
  static async open(records: Records, id: string, unlock: () => void, place: Place): Promise<SegmentedPartial> {
    const left = await records.partial(id);
    const found = left?.version && { ...left, sizes: left.segments.map(({ size }) => size) };
    if (left && !found) await records.removePartial(id);
    return new SegmentedPartial(records, id, unlock, place, found ?? NOTHING);
  }

  get size(): number {
    return this.#sizes.reduce((sum, size) => sum + size, this.#filled);
  }

  get version(): Version | undefined {
    return this.#version;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const segment of (await this.#records.partial(this.#id))?.segments ?? []) {
      yield new Uint8Array(await segment.arrayBuffer());
    }
  }

  async restart(version: Version | undefined): Promise<void> {
    await this.#records.removePartial(this.#id);
    this.#token = crypto.randomUUID();
    this.#version = version;
    this.#sizes = [];
    this.#filled = 0;
    await this.#records.writePartial(this.#id, this.#token, version);
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let start = 0; start < chunk.byteLength; ) {
      if (this.#pending.byteLength === 0) this.#pending = new Uint8Array(SEGMENT_BYTES);
      const piece = chunk.subarray(start, start + SEGMENT_BYTES - this.#filled);
      this.#pending.set(piece, this.#filled);
      this.#filled += piece.byteLength;
      start += piece.byteLength;
      if (this.#filled === SEGMENT_BYTES) await this.#flush();
    }
  }

  async commit(placement: Placement): Promise<StoredWeights> {
    await this.#flush();
    const stored = await this.#place(placement, this.#token, this.#sizes);
    this.#end();
    return stored;
  }

  async discard(): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#records.removePartial(this.#id);
    } finally {
      this.#end();
    }
  }

  async release(): Promise<void> {
    if (this.#ended) return;
    if (this.#version === undefined) return await this.discard();
    try {
      await this.#flush();
    } finally {
      this.#end();
    }
  }

  async #flush(): Promise<void> {
    if (this.#filled === 0) return;
    await this.#records.writeSegment(
      this.#token,
      this.#sizes.length,
      new Blob([this.#pending.subarray(0, this.#filled)]),
    );
    this.#sizes.push(this.#filled);
    this.#filled = 0;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pending = new Uint8Array(0);
    this.#unlock();
  }
}

interface Found {
  readonly token: string;
  readonly version: Version | undefined;
  readonly sizes: number[];
}

const NOTHING: Found = { token: '', version: undefined, sizes: [] };
