import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { FetchProgress } from '../options.ts';

interface Result {
  readonly sha256: string;
  readonly fromCache: boolean;
  readonly path: string;
}

/** A real process that runs `child.ts`. */
export class FetchingProcess {
  readonly progress: FetchProgress[] = [];
  /** What it fetched, or how it failed. */
  readonly outcome: Promise<Result>;
  readonly #child: ChildProcess;

  constructor(url: string, directory: string) {
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const script = fileURLToPath(new URL('./child.ts', import.meta.url));
    const switches = ['--import', tsx, '--conditions=@saccade/source'];
    const child = spawn(process.execPath, [...switches, script, url, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.outcome = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { progress, result, failure } = JSON.parse(line);
        if (progress) this.progress.push(progress);
        if (result) resolve(result);
        if (failure) reject(new Error(failure));
      });
      child.on('exit', (code, signal) => reject(new Error(`the process ended: ${code ?? signal}`)));
    });
    // Processes that are killed on purpose are not waited for.
    this.outcome.catch(() => undefined);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
