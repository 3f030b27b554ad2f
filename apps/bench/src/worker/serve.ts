import type { Absent, Bench, Comparison, Peer, Suite, SuitePlace } from '../core/comparison.ts';
import { type MeasureOptions, type MeasureProgress, measureComparison } from '../core/measure.ts';
import type { Row } from '../core/row.ts';
import type { Roofline } from '../core/run.ts';
import type { BenchPeers, OpenedBench } from '../device/createBench.ts';
import { findComparison } from './listing.ts';
import type { FromWorker, ToWorker, WorkerPort } from './protocol.ts';

/** What a worker needs from its home. */
export interface WorkerHome {
  readonly suites: readonly Suite[];
  open(place: SuitePlace, peers: BenchPeers): Promise<OpenedBench>;
  detectPeers(place: SuitePlace): Promise<{
    readonly peers: readonly Peer[];
    readonly absent: readonly Absent[];
    readonly versions: Readonly<Record<string, string>>;
  }>;
  measureRoofline(bench: Bench): Promise<Roofline | undefined>;
  /** So much memory is held that the next comparison should have a new worker: the heap of wasm never shrinks. */
  full(): boolean;
}

/** Milliseconds between two reports of rounds. */
const REPORT_EVERY = 100;

/** What has been opened, and how to measure with it. */
interface Session {
  readonly bench: Bench;
  readonly place: SuitePlace;
  readonly options: MeasureOptions;
  readonly roofline: Roofline | undefined;
}

/** The worker's side: answers every message of the {@link ToWorker} kind, one after the other, for as long as the worker lives. */
export function serve(port: WorkerPort, home: WorkerHome): void {
  let session: Session | undefined;
  const answer = async (message: ToWorker): Promise<FromWorker> => {
    if (message.type === 'open') {
      const opened = await open(message, home);
      session = opened.session;
      return opened.answer;
    }
    if (session === undefined) throw new Error(`"measure ${message.comparison}" came before "open"`);
    const comparison = findComparison(home.suites, message.suite, message.comparison, session.place);
    const rows = await measure(comparison, session, port);
    return { type: 'rows', rows, full: rows.some(broken) || home.full() };
  };
  let last: Promise<void> = Promise.resolve();
  port.onMessage((message) => {
    last = last.then(async () => port.send(await answer(message).catch(failure)));
  });
}

/** What ran out of memory or lost its device on this backend leaves nothing behind that the next one could trust. */
function broken({ status, engine }: Row): boolean {
  return status === 'failed' && engine === undefined;
}

function failure(error: unknown): FromWorker {
  return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
}

async function open(
  { place, measure, peers, roofline }: Extract<ToWorker, { type: 'open' }>,
  home: WorkerHome,
): Promise<{ session: Session; answer: FromWorker }> {
  const found = peers ? await home.detectPeers(place) : { peers: [], absent: [], versions: {} };
  const { bench, device, versions } = await home.open(place, { peers: found.peers, absentPeers: found.absent });
  const reached = roofline === 'measure' ? await home.measureRoofline(bench) : roofline;
  const { home: where, backend, softwareGpu, scale } = bench;
  return {
    session: { bench, place: { home: where, backend, softwareGpu, scale }, options: measure, roofline: reached },
    answer: {
      type: 'opened',
      device: { ...device, ...(reached && { roofline: reached }) },
      versions: { ...versions, ...found.versions },
      absentPeers: found.absent,
    },
  };
}

function measure(comparison: Comparison, { bench, options, roofline }: Session, port: WorkerPort): Promise<Row[]> {
  return measureComparison(comparison, {
    bench,
    options,
    ...(roofline && { roofline }),
    onProgress: throttled(bench, (progress) => port.send({ type: 'progress', progress })),
  });
}

/** Every new phase and contender, and of the rounds, which may be short, those that somebody can see. */
function throttled(bench: Bench, report: (progress: MeasureProgress) => void): (progress: MeasureProgress) => void {
  let [reportedAt, shown] = [Number.NEGATIVE_INFINITY, ''];
  return (progress) => {
    const what = `${progress.phase} ${progress.contender ?? ''}`;
    const ended = progress.round !== undefined && progress.round === progress.rounds;
    if (what === shown && !ended && bench.now() - reportedAt < REPORT_EVERY) return;
    [reportedAt, shown] = [bench.now(), what];
    report(progress);
  };
}
