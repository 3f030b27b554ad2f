import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { LostRightError } from '../cache.ts';
import { sleep } from '../waiting.ts';
import { codeOf, ifThere } from './ioErrors.ts';
import { readJson } from './jsonFile.ts';

/** Times of {@link LockFile}, in milliseconds. */
export interface LockTiming {
  /** How often an owner shows that it lives. */
  readonly heartbeatMs: number;
  /** For how long the owner has to be silent, if its process is not there any more. */
  readonly deadMs: number;
  /** For how long it has to be silent if its process is there, or on another machine. */
  readonly silentMs: number;
  /** How often those who wait look. */
  readonly pollMs: number;
}

export const DEFAULT_TIMING: LockTiming = { heartbeatMs: 1000, deadMs: 3000, silentMs: 60_000, pollMs: 200 };

/** What happens while {@link LockFile.acquire} waits. */
export interface Waiting {
  readonly signal: AbortSignal | undefined;
  /** Called at each look, with the owner's token. */
  onWaiting(token: string): Promise<void>;
  /** Called before the file is taken from an owner that may still be alive, and not know that it lost. */
  onSilent(token: string): Promise<void>;
}

interface Owner {
  readonly token: string;
  readonly pid: number | undefined;
  readonly host: string | undefined;
  /** When it last showed that it lives. */
  readonly seen: number;
}

/**
 * The right to do something, for one process at a time: a file that its owner creates, touches every second and removes.
 *
 * If the owner does not touch it any more, another takes it over: after `deadMs` when the process is gone, after
 * `silentMs` when that cannot be told. Two processes may both believe that they own it for a moment (one slept through
 * its heartbeats, or two take over at the same instant): it saves work, and what it guards must be safe without it.
 */
export class LockFile {
  readonly token: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #timer: ReturnType<typeof setInterval>;
  #lost = false;

  private constructor(path: string, token: string, handle: FileHandle, heartbeatMs: number) {
    this.#path = path;
    this.token = token;
    this.#handle = handle;
    this.#timer = setInterval(() => void this.#beat(), heartbeatMs);
    // A program that has nothing else to do may end.
    this.#timer.unref();
  }

  /**
   * Waits until nobody else owns the file.
   *
   * @throws the signal's reason if aborted; errors of the file system
   */
  static async acquire(path: string, timing: LockTiming, waiting: Waiting): Promise<LockFile> {
    let watched: { readonly token: string; readonly seen: number; readonly since: number } | undefined;
    for (;;) {
      waiting.signal?.throwIfAborted();
      const lock = await LockFile.#create(path, timing);
      if (lock !== undefined) return lock;
      const owner = await readOwner(path);
      if (owner === undefined) continue;
      if (watched?.token !== owner.token || watched.seen !== owner.seen) {
        watched = { token: owner.token, seen: owner.seen, since: performance.now() };
      }
      const state = judge(owner, performance.now() - watched.since, timing);
      if (state === 'alive') {
        await waiting.onWaiting(owner.token);
        await sleep(timing.pollMs, waiting.signal);
        continue;
      }
      if (state === 'silent') await waiting.onSilent(owner.token);
      await remove(path, owner.token);
    }
  }

  /** Does not wait. @returns undefined if somebody owns it who may be alive */
  static async tryAcquire(path: string, timing: LockTiming): Promise<LockFile | undefined> {
    const lock = await LockFile.#create(path, timing);
    if (lock !== undefined) return lock;
    const owner = await readOwner(path);
    if (owner !== undefined) {
      if (judge(owner, 0, timing) !== 'dead') return undefined;
      await remove(path, owner.token);
    }
    return await LockFile.#create(path, timing);
  }

  static async #create(path: string, timing: LockTiming): Promise<LockFile | undefined> {
    const token = randomBytes(16).toString('hex');
    let handle: FileHandle;
    try {
      handle = await open(path, 'wx', 0o600);
    } catch (error) {
      // Windows says EPERM of a file that is about to disappear.
      if (codeOf(error) === 'EEXIST' || (process.platform === 'win32' && codeOf(error) === 'EPERM')) return undefined;
      throw error;
    }
    const lock = new LockFile(path, token, handle, timing.heartbeatMs);
    try {
      await handle.writeFile(JSON.stringify({ token, pid: process.pid, host: hostname() }));
    } catch (error) {
      await lock.release();
      throw error;
    }
    return lock;
  }

  /** @throws LostRightError if another owner was seen in its place */
  check(): void {
    if (!this.#lost) return;
    throw new LostRightError(
      'another process took over the download, because this one showed no sign of life for long. Give the program ' +
        'time between its computations, and try again.',
    );
  }

  /** Looks whether it is still owned. */
  async isMine(): Promise<boolean> {
    this.#lost ||= (await readOwner(this.#path))?.token !== this.token;
    return !this.#lost;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    const mine = (await readOwner(this.#path))?.token;
    await this.#handle.close();
    // While it was being written it had no token, and nobody could have taken it.
    if (mine === this.token || mine === '') await rm(this.#path, { force: true });
  }

  async #beat(): Promise<void> {
    const now = new Date();
    try {
      await this.#handle.utimes(now, now);
      await this.isMine();
    } catch {
      // Closed in the meantime, or the disk failed, which whatever is written next reports.
    }
  }
}

/** The owner of the file; with an empty token while it is being created, undefined if there is none. */
async function readOwner(path: string): Promise<Owner | undefined> {
  const stats = await ifThere(stat(path));
  if (stats === undefined) return undefined;
  const { token, pid, host } = (await readJson(path)) ?? {};
  return {
    token: typeof token === 'string' ? token : '',
    pid: Number.isSafeInteger(pid) && (pid as number) > 0 ? (pid as number) : undefined,
    host: typeof host === 'string' ? host : undefined,
    seen: stats.mtimeMs,
  };
}

/** @param watchedMs for how long the owner gave no sign of life while we looked */
function judge(owner: Owner, watchedMs: number, timing: LockTiming): 'alive' | 'dead' | 'silent' {
  // Another machine has another clock.
  const here = owner.host === hostname();
  const silentMs = here ? Math.max(watchedMs, Date.now() - owner.seen) : watchedMs;
  if (here && owner.pid !== undefined && silentMs >= timing.deadMs && !isRunning(owner.pid)) return 'dead';
  return silentMs >= timing.silentMs ? 'silent' : 'alive';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Of another user's process we only learn that it is there.
    return codeOf(error) === 'EPERM';
  }
}

/** Removes the lock of that owner, not one that came since. */
async function remove(path: string, token: string): Promise<void> {
  const aside = `${path.replace(/\.lock$/, '')}.${randomBytes(16).toString('hex')}.stale`;
  if ((await ifThere(rename(path, aside).then(() => true))) === undefined) return;
  // Somebody was faster, and this is the new lock: back with it, unless a third one is there already.
  if ((await readOwner(aside))?.token !== token) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
