/** What one caller brings to a shared task. */
export interface Participant<P> {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: P) => void) | undefined;
}

/** Lets calls that want the same thing wait for one task. It ends early only when all of them have aborted. */
export class Sharing<R, P> {
  readonly #tasks = new WeakMap<object, Map<string, SharedTask<R, P>>>();

  /**
   * Waits for the task of that `scope` and `name`, which `run` starts if nobody did.
   *
   * @throws what the task throws; the signal's reason if aborted; whatever onProgress throws
   */
  async join(
    scope: object,
    name: string,
    run: (signal: AbortSignal, report: (progress: P) => void) => Promise<R>,
    participant: Participant<P>,
  ): Promise<R> {
    const tasks = this.#tasks.get(scope) ?? new Map<string, SharedTask<R, P>>();
    this.#tasks.set(scope, tasks);
    let task = tasks.get(name);
    if (task === undefined || task.abandoned) {
      const created = new SharedTask(run);
      task = created;
      tasks.set(name, created);
      created.ended.then(() => {
        if (tasks.get(name) === created) tasks.delete(name);
      });
    }
    return await task.join(participant);
  }
}

class SharedTask<R, P> {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<(progress: P) => void>();
  readonly #result: Promise<R>;
  #latest: { readonly progress: P } | undefined;

  constructor(run: (signal: AbortSignal, report: (progress: P) => void) => Promise<R>) {
    this.#result = run(this.#controller.signal, (progress) => {
      this.#latest = { progress };
      for (const listener of this.#listeners) listener(progress);
    });
  }

  /** Whether the last participant has left, so that it is about to end. */
  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Fulfilled when the task is over, in whatever way. */
  get ended(): Promise<void> {
    return this.#result.then(
      () => undefined,
      () => undefined,
    );
  }

  async join({ signal, onProgress }: Participant<P>): Promise<R> {
    let leave: (reason: unknown) => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = (reason) => {
        this.#listeners.delete(listener);
        reject(reason);
        if (this.#listeners.size === 0) this.#controller.abort(reason);
      };
    });
    // Also whoever does not want to hear of progress is counted by its listener.
    const listener = (progress: P) => {
      try {
        onProgress?.(progress);
      } catch (error) {
        leave(error);
      }
    };
    const abort = () => leave(signal?.reason);
    this.#listeners.add(listener);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      if (this.#latest) listener(this.#latest.progress);
      return await Promise.race([this.#result, left]);
    } catch (error) {
      // Whoever leaves last waits until everything is tidied up.
      if (this.abandoned) await this.ended;
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#listeners.delete(listener);
    }
  }
}
