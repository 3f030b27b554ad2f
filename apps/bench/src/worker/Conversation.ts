import type { MeasureProgress } from '../core/measure.ts';
import type { FromWorker, ToWorker, WorkerHandle } from './protocol.ts';

/** Questions to one worker, and its answers: also when it ends, falls silent, or is not wanted any more. */
export class Conversation {
  /** The worker is gone. */
  ended = false;
  readonly #worker: WorkerHandle;
  readonly #silenceMs: number;
  readonly #signal: AbortSignal | undefined;
  #question: Question | undefined;
  #reason = '';

  /** @param silenceMs milliseconds without a message after which a worker that was asked something is ended */
  constructor(worker: WorkerHandle, silenceMs: number, signal: AbortSignal | undefined) {
    this.#worker = worker;
    this.#silenceMs = silenceMs;
    this.#signal = signal;
    worker.onMessage((message) => this.#hear(message));
    worker.onExit((reason) => this.#lose(reason));
  }

  /**
   * @returns the answer; `failed` too where the worker ended before it gave one
   * @throws `signal.reason` when aborted; the worker is ended
   */
  ask(message: ToWorker, onProgress?: (progress: MeasureProgress) => void): Promise<FromWorker> {
    const [signal, silenceMs] = [this.#signal, this.#silenceMs];
    if (this.ended) return Promise.resolve({ type: 'failed', reason: this.#reason });
    return new Promise<FromWorker>((resolve, reject) => {
      const abort = () => {
        this.end();
        settle(() => reject(signal?.reason));
      };
      const hang = () => {
        this.end();
        this.#lose(`it said nothing for ${Math.round(silenceMs / 1000)} s and was stopped`);
      };
      let timer = setTimeout(hang, silenceMs);
      const settle = (done: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#question = undefined;
        done();
      };
      this.#question = {
        alive(progress) {
          clearTimeout(timer);
          timer = setTimeout(hang, silenceMs);
          onProgress?.(progress);
        },
        answered: (answer) => settle(() => resolve(answer)),
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      this.#worker.send(message);
    });
  }

  /** Ends the worker. */
  end(): void {
    if (!this.ended) this.#worker.terminate();
    this.ended = true;
  }

  #hear(message: FromWorker): void {
    if (message.type === 'progress') this.#question?.alive(message.progress);
    else this.#question?.answered(message);
  }

  #lose(reason: string): void {
    this.ended = true;
    this.#reason = `the worker ended: ${reason}`;
    this.#question?.answered({ type: 'failed', reason: this.#reason });
  }
}

/** What was asked and has no answer yet. */
interface Question {
  alive(progress: MeasureProgress): void;
  answered(answer: FromWorker): void;
}
