/** Ends an attempt when its caller aborts, or when nothing has come for a while. */
export class Watchdog {
  readonly #controller = new AbortController();
  readonly #stallMs: number;
  readonly #stalled: () => unknown;
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param stalled makes the reason for which `signal` is aborted after `stallMs` */
  constructor(stallMs: number, stalled: () => unknown, caller: AbortSignal | undefined) {
    this.#stallMs = stallMs;
    this.#stalled = stalled;
    this.#caller = caller;
    if (caller?.aborted) this.#obey();
    else caller?.addEventListener('abort', this.#obey);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #obey = () => this.#controller.abort(this.#caller?.reason);

  /** Starts counting from zero. */
  watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(this.#stalled()), this.#stallMs);
  }

  /** Stops counting: what takes time now is our own work. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.rest();
    this.#caller?.removeEventListener('abort', this.#obey);
  }
}

/** @throws the signal's reason if aborted */
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
