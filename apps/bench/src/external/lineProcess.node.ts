import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What {@link LineProcess} starts. */
export interface LineProgram {
  /** path, or name in the search path */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/**
 * A program that says `"ready"` once it has loaded, then answers each line of JSON with one: what it does is timed by its own
 * clock, without its start.
 *
 * Its answers are values, or `{"error": "..."}`.
 */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;
  /** questions without an answer yet, in their order; the first one is the greeting */
  readonly #waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = [];
  #ended: Error | undefined;
  #text = '';
  #complaints = '';

  constructor({ program, args, cwd }: LineProgram) {
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...(cwd !== undefined && { cwd }) });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-2000);
    });
    // A write to a program that has ended: `close` tells the reason.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', (error) => this.#end(`${program} does not start: ${error.message}`));
    this.#child.on('close', (code, signal) => {
      this.#end(`${program} ended (${signal ?? code}): ${this.#complaints.trim() || 'it said nothing'}`);
    });
    this.#ready = this.#answer();
    // Whoever asks first hears of it.
    this.#ready.catch(() => undefined);
  }

  /** Why it can no longer be asked. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /**
   * The answer to a question.
   *
   * @throws what the program answers as its error; that it has ended, with the last that it wrote to stderr
   */
  async ask<T>(question: unknown): Promise<T> {
    await this.#ready;
    if (this.#ended !== undefined) throw this.#ended;
    const answer = this.#answer();
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    return (await answer) as T;
  }

  /** Ends the program. Closing twice does no harm. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    this.#child.kill();
    await closed;
  }

  #answer(): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #read(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() as string;
    for (const line of lines) {
      const next = this.#waiting.shift();
      try {
        const answer: unknown = JSON.parse(line);
        const failed = typeof answer === 'object' && answer !== null && 'error' in answer;
        if (failed) next?.reject(new Error(String(answer.error)));
        else next?.resolve(answer);
      } catch {
        next?.reject(new Error(`${this.#child.spawnfile} answered something else than JSON: ${line.slice(0, 200)}`));
      }
    }
  }

  #end(reason: string): void {
    this.#ended ??= new Error(reason);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}

/** A TypeScript program of this repository, from its sources. */
export function ownProgram(module: URL, ...args: readonly string[]): LineProgram {
  return {
    program: process.execPath,
    args: ['--import', 'tsx', '--conditions=@saccade/source', fileURLToPath(module), ...args],
    // Where `tsx` is found.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  };
}
