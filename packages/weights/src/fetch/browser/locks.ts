/** Rights of which each has one owner at a time, by name. */
export interface Locks {
  /** Waits for its turn. @returns what gives the right up @throws the signal's reason if aborted */
  acquire(name: string, signal: AbortSignal | undefined): Promise<() => void>;
  /** @returns undefined if somebody has the right */
  tryAcquire(name: string): Promise<(() => void) | undefined>;
}

/** Between all tabs and workers of a site. The browser takes the right from a tab that is closed or crashes. */
export function webLocks(manager: LockManager): Locks {
  const request = (name: string, options: LockOptions) =>
    new Promise<(() => void) | undefined>((resolve, reject) => {
      manager
        .request(name, options, (lock) => {
          if (lock === null) return resolve(undefined);
          return new Promise<void>((release) => resolve(release));
        })
        .catch(reject);
    });
  return {
    acquire: async (name, signal) => (await request(name, signal ? { signal } : {})) as () => void,
    tryAcquire: (name) => request(name, { ifAvailable: true }),
  };
}

/** Within one program. */
export function localLocks(): Locks {
  const queues = new Map<string, (() => void)[]>();
  const release = (name: string) => () => {
    const next = queues.get(name)?.shift();
    if (next) next();
    else queues.delete(name);
  };
  const tryAcquire = (name: string) => {
    if (queues.has(name)) return undefined;
    queues.set(name, []);
    return release(name);
  };
  return {
    tryAcquire: async (name) => tryAcquire(name),
    acquire: async (name, signal) => {
      signal?.throwIfAborted();
      const free = tryAcquire(name);
      if (free) return free;
      const queue = queues.get(name)!;
      await new Promise<void>((resolve, reject) => {
        const turn = () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        const abort = () => {
          queue.splice(queue.indexOf(turn), 1);
          reject(signal?.reason);
        };
        queue.push(turn);
        signal?.addEventListener('abort', abort, { once: true });
      });
      return release(name);
    },
  };
}
