import type { BenchBackend, Comparison, Suite, SuitePlace } from '../core/comparison.ts';
import type { MeasureOptions, MeasureProgress } from '../core/measure.ts';
import type { Row } from '../core/row.ts';
import { type DeviceLine, type RunHeader, type RunLine, SCHEMA } from '../core/run.ts';
import { slopeLines } from '../core/slopes.ts';
import { Conversation } from './Conversation.ts';
import { listComparisons } from './listing.ts';
import type { RunHome, RunPlan } from './plan.ts';
import type { FromWorker } from './protocol.ts';

/** Contender of the row that stands for all of a comparison, where the worker could not say which one it was. */
export const ALL_CONTENDERS = 'all contenders';

/** Suite of the row that says why a backend could not be opened. */
export const SETUP = 'setup';

type Opened = Extract<FromWorker, { type: 'opened' }>;

/**
 * Measures what a plan says: each backend in workers of its own, one comparison after the other.
 *
 * What a worker does not survive costs one comparison: it has a row that says how the worker ended, is not tried again, and
 * the next one gets a new worker. A backend that cannot be opened has one row, and the run goes on with the others; if it
 * could be opened once and then not again, all of its comparisons that are left have a row each.
 *
 * @returns the header, for each backend its device and the rows, and last the slopes; each of them was given to
 * `home.onLine` as soon as it was known
 * @throws `home.signal.reason` when aborted, after the worker has been ended
 */
export async function runBench(plan: RunPlan, home: RunHome, suites: readonly Suite[]): Promise<RunLine[]> {
  home.signal?.throwIfAborted();
  const run = new Run(plan, home, suites);
  for (const backend of plan.backends) await run.measureBackend(backend);
  return run.finish();
}

/** A run that is going on. */
class Run {
  readonly #plan: RunPlan;
  readonly #home: RunHome;
  readonly #suites: readonly Suite[];
  readonly #lines: RunLine[] = [];
  /** number of comparisons of each backend; what is known before it is opened may change then */
  readonly #counts: Map<BenchBackend, number>;
  #done = 0;

  constructor(plan: RunPlan, home: RunHome, suites: readonly Suite[]) {
    this.#plan = plan;
    this.#home = home;
    this.#suites = suites;
    this.#counts = new Map(plan.backends.map((backend) => [backend, this.#list(backend, false).length]));
  }

  async measureBackend(backend: BenchBackend): Promise<void> {
    if (this.#counts.get(backend) === 0) return;
    this.#report(backend);
    const worker = new BackendWorker(this.#plan, this.#home, backend);
    try {
      const opened = await worker.open();
      if ('reason' in opened) {
        this.#header({});
        this.#add(cannotOpen(backend, opened.reason));
        this.#done += this.#counts.get(backend) ?? 0;
        return;
      }
      const known = this.#header(opened.versions);
      this.#add(withVersions(opened, known));
      await this.#measureAll(worker, opened.device);
    } finally {
      worker.close();
    }
  }

  finish(): RunLine[] {
    this.#header({});
    for (const line of slopeLines(this.#lines.filter(isRow))) this.#add(line);
    return this.#lines;
  }

  async #measureAll(worker: BackendWorker, { softwareGpu }: DeviceLine): Promise<void> {
    const { backend } = worker;
    const comparisons = this.#list(backend, softwareGpu);
    this.#counts.set(backend, comparisons.length);
    for (const comparison of comparisons) {
      const name = `${comparison.suite}/${comparison.id}`;
      this.#report(backend, name);
      const rows = await worker.measure(comparison, (detail) => this.#report(backend, name, detail));
      for (const row of 'reason' in rows ? [failed(comparison, backend, softwareGpu, rows.reason)] : rows)
        this.#add(row);
      this.#done++;
    }
    this.#report(backend);
  }

  #list(backend: BenchBackend, softwareGpu: boolean): readonly Comparison[] {
    return listComparisons(this.#suites, placeOf(this.#plan, backend, softwareGpu), this.#plan);
  }

  /** The first line; it waits for the first worker, which knows the versions of the peers. */
  #header(versions: Readonly<Record<string, string>>): RunHeader {
    const [first] = this.#lines;
    if (first?.kind === 'run') return first;
    const { home, scale } = this.#plan;
    const { header } = this.#home;
    const line: RunHeader = {
      kind: 'run',
      schema: SCHEMA,
      home,
      date: new Date().toISOString(),
      ...header,
      versions: { ...header.versions, ...versions },
      scale,
      options: optionsOf(this.#plan, this.#suites),
    };
    this.#add(line);
    return line;
  }

  #add(line: RunLine): void {
    this.#lines.push(line);
    this.#home.onLine?.(line);
  }

  #report(backend: BenchBackend, comparison?: string, detail?: MeasureProgress): void {
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    this.#home.onProgress?.({
      done: this.#done,
      total,
      backend,
      ...(comparison !== undefined && { comparison }),
      ...(detail && { detail }),
    });
  }
}

/** Something did not work, and why. */
interface Failure {
  readonly reason: string;
}

/** The workers of one backend: one at a time, and another one where that one is full or has ended. */
class BackendWorker {
  readonly backend: BenchBackend;
  readonly #plan: RunPlan;
  readonly #home: RunHome;
  /** measured by the first worker, and given to the others */
  #device: DeviceLine | undefined;
  #current: Conversation | undefined;
  /** why there will be no other worker */
  #unusable: Failure | undefined;

  constructor(plan: RunPlan, home: RunHome, backend: BenchBackend) {
    this.#plan = plan;
    this.#home = home;
    this.backend = backend;
  }

  async open(): Promise<Opened | Failure> {
    const { peers, measure } = this.#plan;
    const conversation = new Conversation(this.#home.startWorker(), silenceMs(measure), this.#home.signal);
    this.#current = conversation;
    const answer = await conversation.ask({
      type: 'open',
      place: placeOf(this.#plan, this.backend, this.#device?.softwareGpu ?? false),
      measure,
      peers,
      roofline: this.#device === undefined ? 'measure' : this.#device.roofline,
    });
    if (answer.type !== 'opened') {
      this.close();
      this.#unusable = reasonOf(answer);
      return this.#unusable;
    }
    this.#device ??= answer.device;
    return answer;
  }

  async measure(
    { suite, id }: Comparison,
    onProgress: (progress: MeasureProgress) => void,
  ): Promise<readonly Row[] | Failure> {
    if (this.#unusable !== undefined) return this.#unusable;
    if (this.#current === undefined || this.#current.ended) {
      const opened = await this.open();
      if ('reason' in opened) return opened;
    }
    const answer = await (this.#current as Conversation).ask({ type: 'measure', suite, comparison: id }, onProgress);
    // What failed half-way may have left tensors behind: those who come next shall not pay for it.
    if (answer.type !== 'rows' || answer.full) this.close();
    return answer.type === 'rows' ? answer.rows : reasonOf(answer);
  }

  close(): void {
    this.#current?.end();
    this.#current = undefined;
  }
}

function withVersions({ device, versions }: Opened, { versions: known }: RunHeader): DeviceLine {
  const further = Object.entries(versions).filter(([name, version]) => known[name] !== version);
  return further.length === 0 ? device : { ...device, versions: Object.fromEntries(further) };
}

function reasonOf(answer: FromWorker): Failure {
  return {
    reason: answer.type === 'failed' ? answer.reason : `the worker gave an answer to another question: ${answer.type}`,
  };
}

/**
 * Milliseconds without a word from a worker after which it hangs: it speaks at least once for each contender and round,
 * before which come references in float64, and a first run that nobody can interrupt.
 */
function silenceMs({ budgetMs }: MeasureOptions): number {
  return 120_000 + 5 * budgetMs;
}

function placeOf({ home, scale }: RunPlan, backend: BenchBackend, softwareGpu: boolean): SuitePlace {
  return { home, backend, softwareGpu, scale };
}

/** `whole`: nothing was left out that this home has. */
function optionsOf(
  { home, backends, suites, only, peers, measure }: RunPlan,
  all: readonly Suite[],
): RunHeader['options'] {
  const whole = only === undefined && all.every(({ name, homes }) => suites.includes(name) || !homes.includes(home));
  return { backends, whole, suites, ...(only && { only }), peers, ...measure };
}

function failed(
  { suite, id, parameters }: Omit<Comparison, 'prepare'>,
  backend: BenchBackend,
  softwareGpu: boolean,
  reason: string,
): Row {
  return {
    kind: 'row',
    suite,
    comparison: id,
    parameters,
    contender: ALL_CONTENDERS,
    role: 'saccade',
    backend,
    softwareGpu,
    status: 'failed',
    reason,
  };
}

function cannotOpen(backend: BenchBackend, reason: string): Row {
  return failed({ suite: SETUP, id: backend, parameters: {} }, backend, false, reason);
}

function isRow(line: RunLine): line is Row {
  return line.kind === 'row';
}
