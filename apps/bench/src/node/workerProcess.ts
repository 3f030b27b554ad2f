import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { FromWorker, WorkerHandle } from '../worker/protocol.ts';

/**
 * WebAssembly is compiled well at once. Left to itself, V8 begins with fast compilation and replaces what runs often; now
 * and then it left the inner loop of a library in its first form for minutes, at a third of the speed: a coin toss between
 * one run and the next.
 */
const NO_FIRST_TIER = '--no-liftoff';

/** Characters of what a process printed that are kept, for the reason of its end. */
const TAIL = 2000;

/** Milliseconds after the end of a process in which its last words may arrive; its own children may hold the pipe open. */
const LAST_WORDS_MS = 300;

/** Milliseconds in which a process that is not wanted any more may leave. */
const LEAVE_MS = 1000;

/**
 * Starts a process that serves a bench.
 *
 * What it prints is not shown, since it would run through the progress bar; the end of it is in the reason, if the process
 * ends by itself.
 *
 * @param entry TypeScript module that calls `serveProcess`
 */
export function startWorkerProcess(entry: URL): WorkerHandle {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = fork(fileURLToPath(entry), {
    execArgv: [NO_FIRST_TIER, '--import', tsx, '--conditions=@saccade/source'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  const printed = keepTail(child);
  let wanted = true;
  return {
    // A process that is gone says so itself.
    send: (message) => void child.send(message, () => undefined),
    onMessage: (listener) => child.on('message', (message) => wanted && listener(message as FromWorker)),
    onExit(listener) {
      let told = false;
      const tell = (how: string) => {
        if (wanted && !told) listener(lastWords(how, printed()));
        told = true;
      };
      child.on('error', ({ message }) => tell(message));
      child.on('exit', (code, signal) => {
        const how = endOf(code, signal);
        child.on('close', () => tell(how));
        setTimeout(() => tell(how), LAST_WORDS_MS);
      });
    },
    terminate() {
      wanted = false;
      if (child.exitCode !== null || child.signalCode !== null) return;
      // It leaves by itself, with its temporary files and children, unless it is in the middle of a kernel.
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), LEAVE_MS);
      child.on('exit', () => clearTimeout(timer));
    },
  };
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL') return 'killed by SIGKILL; most likely the machine ran out of memory';
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}

function lastWords(how: string, printed: string): string {
  const lines = printed.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? how : `${how}; it printed last: ${lines.slice(-6).join(' · ')}`;
}

/** Everything that a process prints, without the beginning. */
function keepTail({ stdout, stderr }: ChildProcess): () => string {
  let tail = '';
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-TAIL);
    });
  }
  return () => tail;
}
