import { type Profiler, Session } from 'node:inspector';

/**
 * Which blocks of the package's sources ran, as V8 counts them: what tells an input that does something new from one
 * that does not.
 */
export class BlockCoverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();
  readonly #folder: string;

  /** @param folder only scripts whose URL begins with this count */
  constructor(folder: string) {
    this.#folder = folder;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that ran since the last call, as texts. */
  take(): string[] {
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    const blocks: string[] = [];
    for (const { url, scriptId, functions } of result) {
      if (!url.startsWith(this.#folder)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) blocks.push(`${scriptId}:${startOffset}-${endOffset}`);
        }
      }
    }
    return blocks;
  }

  /** Takes the blocks that ran; whether one of them never did before. */
  takeNew(): boolean {
    const before = this.#seen.size;
    for (const block of this.take()) this.#seen.add(block);
    return this.#seen.size > before;
  }

  /** Whether blocks that were never seen ran since the last call; they stay unseen. */
  peekNew(): boolean {
    return this.take().some((block) => !this.#seen.has(block));
  }

  /** Ends counting, which slows the sources down. */
  stop(): void {
    this.#post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  get size(): number {
    return this.#seen.size;
  }

  /** The session answers while it is asked. */
  #post(method: string, parameters?: object): unknown {
    let answer: unknown;
    this.#session.post(method, parameters ?? {}, (error: Error | null, result?: unknown) => {
      if (error !== null) throw error;
      answer = result;
    });
    return answer;
  }
}
