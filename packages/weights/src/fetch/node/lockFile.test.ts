import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LostRightError } from '../cache.ts';
import { LockFile, type LockTiming, type Waiting } from './lockFile.ts';

const TIMING: LockTiming = { heartbeatMs: 20, deadMs: 100, silentMs: 1000, pollMs: 5 };
/** No process has it: Linux numbers them up to 2^22. */
const NOBODY = 2 ** 30;

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lock-'));
  path = join(directory, `${'a'.repeat(64)}.lock`);
});

afterEach(() => rm(directory, { recursive: true }));

const waiting = (parts: Partial<Waiting> = {}): Waiting => ({
  signal: undefined,
  onWaiting: async () => undefined,
  onSilent: async () => undefined,
  ...parts,
});

async function leave(owner: object, ageMs = 0): Promise<void> {
  await writeFile(path, JSON.stringify(owner));
  const time = new Date(Date.now() - ageMs);
  await utimes(path, time, time);
}

async function timed<T>(promise: Promise<T>): Promise<[T, number]> {
  const before = performance.now();
  return [await promise, performance.now() - before];
}

describe('a lock', () => {
  it('has one owner at a time, in whatever order they come', async () => {
    let inside = 0;
    let most = 0;
    const turn = async () => {
      const lock = await LockFile.acquire(path, TIMING, waiting());
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 20 }, turn));
    expect(most).toBe(1);
    expect(await readdir(directory)).toEqual([]);
  });

  it('shows that its owner lives', async () => {
    const lock = await LockFile.acquire(path, TIMING, waiting());
    const first = (await stat(path)).mtimeMs;
    await vi.waitFor(async () => expect((await stat(path)).mtimeMs).toBeGreaterThan(first + 40));
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ token: lock.token, pid: process.pid, host: hostname() });
    await lock.release();
  });

  it.each<[string, object, number, [number, number]]>([
    ['a dead process, long silent', { token: 't', pid: NOBODY, host: hostname() }, 60_000, [0, 80]],
    ['a process that just died', { token: 't', pid: NOBODY, host: hostname() }, 0, [90, 300]],
    ['a process that lives and is silent', { token: 't', pid: process.pid, host: hostname() }, 0, [990, 1300]],
    ['another machine', { token: 't', pid: NOBODY, host: 'elsewhere' }, 60_000, [990, 1300]],
    ['nobody that can be known', {}, 0, [990, 1300]],
  ])('is taken over from %s, in due time', async (_, owner, ageMs, [least, most]) => {
    await leave(owner, ageMs);
    const silent: string[] = [];
    const onSilent = async (token: string) => void silent.push(token);
    const [lock, ms] = await timed(LockFile.acquire(path, TIMING, waiting({ onSilent })));
    expect(ms).toBeGreaterThanOrEqual(least);
    expect(ms).toBeLessThan(most + 1000);
    // Whoever may still be alive is announced.
    expect(silent).toHaveLength(least === 990 ? 1 : 0);
    await lock.release();
    expect(await readdir(directory)).toEqual([]);
  });

  it('is taken over by one of many', async () => {
    await leave({ token: 't', pid: NOBODY, host: hostname() }, 60_000);
    const controller = new AbortController();
    const all = Array.from({ length: 10 }, () =>
      LockFile.acquire(path, TIMING, waiting({ signal: controller.signal })).catch(() => undefined),
    );
    await Promise.race(all);
    await new Promise((resolve) => setTimeout(resolve, 200));
    controller.abort();
    const locks = (await Promise.all(all)).filter((lock) => lock !== undefined);
    // Two may take it over at the same instant; after a look at the file, one of them knows better.
    const owned = await Promise.all(locks.map((lock) => lock.isMine()));
    expect(owned.filter((mine) => mine)).toHaveLength(1);
    await Promise.all(locks.map((lock) => lock.release()));
  });

  it('is left to one who was faster in taking it over', async () => {
    await leave({ token: 'silent', pid: process.pid, host: hostname() }, 60_000);
    const controller = new AbortController();
    // Between the decision to take it over and the deed.
    const onSilent = () => leave({ token: 'faster', pid: process.pid, host: hostname() });
    const onWaiting = async (token: string) => controller.abort(token);
    const late = LockFile.acquire(path, TIMING, waiting({ signal: controller.signal, onSilent, onWaiting }));
    await expect(late).rejects.toBe('faster');
    expect(JSON.parse(await readFile(path, 'utf8')).token).toBe('faster');
    expect(await readdir(directory)).toHaveLength(1);
  });

  it('that was taken away is noticed by its owner, which leaves the new one alone', async () => {
    const lock = await LockFile.acquire(path, TIMING, waiting());
    lock.check();
    await leave({ token: 'other', pid: process.pid, host: hostname() });
    await vi.waitFor(() => expect(() => lock.check()).toThrow(LostRightError));
    expect(await lock.isMine()).toBe(false);
    await lock.release();
    expect(JSON.parse(await readFile(path, 'utf8')).token).toBe('other');
  });

  it('is waited for until the caller aborts', async () => {
    const lock = await LockFile.acquire(path, TIMING, waiting());
    const controller = new AbortController();
    const seen: string[] = [];
    const onWaiting = async (token: string) => {
      if (seen.push(token) === 3) controller.abort('enough');
    };
    const next = LockFile.acquire(path, TIMING, waiting({ signal: controller.signal, onWaiting }));
    await expect(next).rejects.toBe('enough');
    expect(seen).toEqual([lock.token, lock.token, lock.token]);
    await lock.release();
  });

  it('can be tried for', async () => {
    const lock = await LockFile.tryAcquire(path, TIMING);
    expect(await LockFile.tryAcquire(path, TIMING)).toBeUndefined();
    await lock?.release();
    await leave({ token: 't', pid: NOBODY, host: hostname() }, 60_000);
    const heir = await LockFile.tryAcquire(path, TIMING);
    expect(heir).toBeDefined();
    await heir?.release();
  });
});
