import type { SuitePlace } from '../../core/comparison.ts';
import type { Row } from '../../core/row.ts';
import type { FromWorker, ToWorker, WorkerHandle } from '../protocol.ts';

/** How a fake worker takes part: what it says to a message, or nothing. */
export type Script = (message: ToWorker, worker: FakeWorker) => FromWorker | undefined;

/** A worker that does as a script says, in the next turn of the event loop, as real ones do. */
export class FakeWorker implements WorkerHandle {
  readonly heard: ToWorker[] = [];
  terminated = false;
  readonly #script: Script;
  #listener: (message: FromWorker) => void = () => undefined;
  #onExit: (reason: string) => void = () => undefined;

  constructor(script: Script) {
    this.#script = script;
  }

  send(message: ToWorker): void {
    this.heard.push(message);
    setTimeout(() => {
      const answer = this.#script(message, this);
      if (answer !== undefined) this.say(answer);
    }, 0);
  }

  say(message: FromWorker): void {
    if (!this.terminated) this.#listener(message);
  }

  die(reason: string): void {
    if (!this.terminated) this.#onExit(reason);
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.#listener = listener;
  }

  onExit(listener: (reason: string) => void): void {
    this.#onExit = listener;
  }

  terminate(): void {
    this.terminated = true;
  }
}

/** What a worker says that opened a backend. */
export function openedOn({ backend }: Pick<SuitePlace, 'backend'>, softwareGpu = false): FromWorker {
  return {
    type: 'opened',
    device: { kind: 'device', backend, softwareGpu, description: `fake ${backend}`, features: [], roofline: ROOFLINE },
    versions: { fakelib: '1.2.3' },
    absentPeers: [],
  };
}

export const ROOFLINE = { flopsPerSecond: 1e9, bytesPerSecond: 1e8, dispatchMs: 0.1 };

/** A row as a worker gives it. */
export function fakeRow(suite: string, comparison: string, more: Partial<Row> = {}): Row {
  return {
    kind: 'row',
    suite,
    comparison,
    parameters: {},
    contender: 'ours',
    role: 'saccade',
    backend: 'wasm',
    softwareGpu: false,
    status: 'measured',
    ...more,
  };
}
