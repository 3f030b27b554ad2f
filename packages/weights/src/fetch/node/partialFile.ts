import { type FileHandle, lstat, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { uptime } from 'node:os';
import type { PartialWeights, Placement, StoredWeights, Version } from '../cache.ts';
import { LostRightError } from '../cache.ts';
import { isSha256 } from '../options.ts';
import { codeOf, ifThere, noSpace, onDisk } from './ioErrors.ts';
import { count, readJson, text, writeJson } from './jsonFile.ts';
import { type Layout, OWNED_NAME } from './layout.ts';
import type { LockFile } from './lockFile.ts';

/** Bytes read at once to be hashed again. */
const CHUNK_BYTES = 2 ** 20;

/** How far two computations of the time of the last start may lie apart: clocks are corrected. */
const SAME_START_MS = 120_000;

/** What stands beside a partial file. */
interface Note {
  /** What it is the beginning of; undefined if that is not known. */
  readonly version: Version | undefined;
  /** Whether the file was written to the disk itself, or only to the memory of the system. */
  readonly synced: boolean;
  /** When the computer was started that wrote it. */
  readonly startedAt: number;
}

interface Found {
  readonly size: number;
  readonly version: Version | undefined;
}

const NOTHING: Found = { size: 0, version: undefined };

/** Moves a complete file to where it belongs. */
export type Place = (path: string, placement: Placement & { readonly size: number }) => Promise<StoredWeights>;

/** The beginning of a file on disk, and the lock that says whose it is. */
export class PartialFile implements PartialWeights {
  readonly #layout: Layout;
  readonly #id: string;
  readonly #lock: LockFile;
  readonly #place: Place;
  #file: FileHandle | undefined;
  #size: number;
  #version: Version | undefined;
  #ended = false;

  private constructor(layout: Layout, id: string, lock: LockFile, place: Place, found: Found) {
    this.#layout = layout;
    this.#id = id;
    this.#lock = lock;
    this.#place = place;
    this.#size = found.size;
    this.#version = found.version;
  }

  /** Takes over what a cut download of the file left, if anything. */
  static async open(layout: Layout, id: string, lock: LockFile, place: Place): Promise<PartialFile> {
    const partial = new PartialFile(layout, id, lock, place, await adopt(layout, id, lock.token));
    // What is written from now on is not on the disk itself.
    if (partial.version !== undefined) await partial.#note(false);
    return partial;
  }

  get size(): number {
    return this.#size;
  }

  get version(): Version | undefined {
    return this.#version;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await this.#open();
    const size = this.#size;
    for (let start = 0; start < size; ) {
      const length = Math.min(CHUNK_BYTES, size - start);
      const { bytesRead, buffer } = await onDisk(this.#layout.root, () =>
        file.read(new Uint8Array(length), 0, length, start),
      );
      if (bytesRead === 0) throw new LostRightError('the partial file has become shorter. Try again.');
      yield buffer.subarray(0, bytesRead);
      start += bytesRead;
    }
  }

  async restart(version: Version | undefined): Promise<void> {
    this.#lock.check();
    await onDisk(this.#layout.root, async () => {
      await this.#file?.close();
      this.#file = undefined;
      this.#size = 0;
      this.#version = version;
      // A new file, not the old one shortened, which somebody who lost the right may still have open.
      await rm(this.#part, { force: true });
      await this.#note(false);
      if ((version?.total ?? 0) > (await freeBytes(this.#layout.partials))) throw noSpace(this.#layout.root);
    });
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#lock.check();
    const file = await this.#open();
    await onDisk(this.#layout.root, async () => {
      for (let start = 0; start < chunk.byteLength; ) {
        const { bytesWritten } = await file.write(chunk, start);
        start += bytesWritten;
        this.#size += bytesWritten;
      }
    });
  }

  async commit(placement: Placement): Promise<StoredWeights> {
    const file = await this.#open();
    const stored = await onDisk(this.#layout.root, async () => {
      await file.datasync();
      await file.close();
      this.#file = undefined;
      await this.#lock.isMine();
      this.#lock.check();
      try {
        return await this.#place(this.#part, { ...placement, size: this.#size });
      } catch (cause) {
        if (codeOf(cause) !== 'ENOENT') throw cause;
        throw new LostRightError('another process removed the partial file. Try again.', { cause });
      }
    });
    await this.discard();
    return stored;
  }

  async discard(): Promise<void> {
    await this.#end(() => removePartial(this.#layout, this.#id, this.#lock.token));
  }

  async release(): Promise<void> {
    const mine = await onDisk(this.#layout.root, () => this.#lock.isMine());
    if (mine && this.#version !== undefined && this.#size > 0) await this.#end(() => this.#note(true));
    else await this.discard();
  }

  async #end(last: () => Promise<void>): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      await onDisk(this.#layout.root, async () => {
        await this.#file?.datasync();
        await this.#file?.close();
        await last();
      });
    } finally {
      await onDisk(this.#layout.root, () => this.#lock.release());
    }
  }

  get #part(): string {
    return this.#layout.part(this.#id, this.#lock.token);
  }

  async #open(): Promise<FileHandle> {
    this.#file ??= await onDisk(this.#layout.root, () => open(this.#part, 'a+', 0o600));
    return this.#file;
  }

  async #note(synced: boolean): Promise<void> {
    const note: Note = { version: this.#version, synced, startedAt: startedAt() };
    const path = this.#layout.note(this.#id, this.#lock.token);
    await writeJson(path, path.replace(/json$/, 'tmp'), note);
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { blocks, bavail, bsize } = await statfs(folder);
  // Some network file systems do not say.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

/** How many bytes the owner of that token has, and of how many. */
export async function progressOf(layout: Layout, id: string, token: string) {
  const stats = await ifThere(stat(layout.part(id, token)));
  const note = await readNote(layout, id, token);
  return { received: stats?.size ?? 0, total: note?.version?.total };
}

/** Removes what the owner of that token has. */
export async function removePartial(layout: Layout, id: string, token: string): Promise<void> {
  for (const path of [layout.part(id, token), layout.note(id, token)]) await rm(path, { force: true });
}

/** Gives the largest usable partial file of that id the token of its new owner, and removes all others. */
async function adopt(layout: Layout, id: string, token: string): Promise<Found> {
  const others = new Set<string>();
  for (const name of await readdir(layout.partials)) {
    const [, owner, other] = OWNED_NAME.exec(name) ?? [];
    if (owner === id && other !== undefined) others.add(other);
  }
  const found = await Promise.all([...others].map(async (other) => ({ ...(await usable(layout, id, other)), other })));
  const best = found.toSorted((a, b) => b.size - a.size)[0];
  if (best?.version !== undefined) {
    await rename(layout.part(id, best.other), layout.part(id, token));
    await rename(layout.note(id, best.other), layout.note(id, token));
  }
  for (const other of others) await removePartial(layout, id, other);
  return best?.version === undefined ? NOTHING : best;
}

/** What the owner of that token left, as far as it can be trusted. */
async function usable(layout: Layout, id: string, token: string): Promise<Found> {
  // Not what a link points to: it is going to be written to.
  const stats = await ifThere(lstat(layout.part(id, token)));
  const note = await readNote(layout, id, token);
  // After a failure of the power, what was not written to the disk itself may be zeros.
  const safe = note?.synced || (note && Math.abs(note.startedAt - startedAt()) < SAME_START_MS);
  return safe && stats?.isFile() ? { size: stats.size, version: note?.version } : NOTHING;
}

async function readNote(layout: Layout, id: string, token: string): Promise<Note | undefined> {
  const { version, synced, startedAt } = (await readJson(layout.note(id, token))) ?? {};
  if (typeof synced !== 'boolean' || typeof startedAt !== 'number') return undefined;
  if (typeof version !== 'object' || version === null) return { version: undefined, synced, startedAt };
  const { etag, lastModified, total, sha256 } = version as Record<string, unknown>;
  return {
    version: {
      etag: text(etag),
      lastModified: text(lastModified),
      total: count(total),
      sha256: isSha256(sha256) ? sha256 : undefined,
    },
    synced,
    startedAt,
  };
}

/** When this computer was started, in milliseconds. */
function startedAt(): number {
  return Math.round(Date.now() - 1000 * uptime());
}
