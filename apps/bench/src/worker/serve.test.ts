import { describe, expect, it } from 'vitest';
import type { Absent, Bench, Comparison, Contender, Peer, Suite, SuitePlace } from '../core/comparison.ts';
import { MEASURE } from '../core/measure.ts';
import type { FromWorker, ToWorker } from './protocol.ts';
import { serve, type WorkerHome } from './serve.ts';
import { ROOFLINE } from './testing/fakeWorker.ts';

const PLACE: SuitePlace = { home: 'node', backend: 'webgpu', softwareGpu: false, scale: 'quick' };
const OPEN: ToWorker = { type: 'open', place: PLACE, measure: MEASURE.quick, peers: true, roofline: 'measure' };

/** A bench without a backend, on which every look at the clock takes a millisecond. */
function fakeBench(more: Partial<Bench> = {}): Bench {
  let time = 0;
  const peak = async (action: () => Promise<void>) => {
    await action();
    return { tensorBytes: 8 };
  };
  return {
    ...{ ...PLACE, peers: [], absentPeers: [], softwareGpu: true },
    now: () => time++,
    settle: () => Promise.resolve(),
    peakOf: peak,
    ...more,
  };
}

const contender = (more: Partial<Contender> = {}): Contender => ({
  name: 'ours',
  role: 'saccade',
  run: () => Promise.resolve(undefined),
  check: () => Promise.resolve({ against: 'itself', error: 0, tolerance: 0 }),
  ...more,
});

const comparison = (id: string, contenders: () => readonly Contender[]): Comparison => ({
  suite: 'one',
  id,
  parameters: {},
  prepare: () => Promise.resolve({ contenders: contenders(), dispose: () => undefined }),
});

const refuse = (message: string) => () => {
  throw new Error(message);
};

const SUITE: Suite = {
  name: 'one',
  title: 'One',
  homes: ['node'],
  backends: ['webgpu'],
  comparisons: ({ softwareGpu }) => [
    comparison('good', () => [contender()]),
    comparison('unprepared', refuse('no weights')),
    comparison('failing', () => [contender({ run: refuse('out of memory') })]),
    comparison('failing-elsewhere', () => [contender({ run: refuse('no such operator'), engine: 'another' })]),
    ...(softwareGpu ? [comparison('in-software', () => [contender()])] : []),
  ],
};

function start(more: Partial<WorkerHome> = {}) {
  let tell: (message: ToWorker) => void = () => undefined;
  let opened: { readonly peers?: readonly Peer[]; readonly absentPeers?: readonly Absent[] } = {};
  const said: FromWorker[] = [];
  const answers: ((answer: FromWorker) => void)[] = [];
  const home: WorkerHome = {
    suites: [SUITE],
    async open(_, peers) {
      opened = peers;
      const device = {
        kind: 'device',
        backend: 'webgpu',
        softwareGpu: true,
        description: 'fake',
        features: [],
      } as const;
      return { bench: fakeBench(peers as Partial<Bench>), device, versions: { tfjs: '4' }, dispose: () => undefined };
    },
    detectPeers: async () => ({ peers: [], absent: [{ name: 'abacus', reason: 'broken' }], versions: { abacus: '0' } }),
    measureRoofline: async () => ROOFLINE,
    full: () => false,
    ...more,
  };
  const port = {
    send(message: FromWorker) {
      said.push(message);
      if (message.type !== 'progress') answers.shift()?.(message);
    },
    onMessage: (listener: (message: ToWorker) => void) => {
      tell = listener;
    },
  };
  serve(port, home);
  const ask = (message: ToWorker) =>
    new Promise<FromWorker>((resolve) => {
      answers.push(resolve);
      tell(message);
    });
  const measure = (id: string) => ask({ type: 'measure', suite: 'one', comparison: id });
  return { ask, measure, said, openedWith: () => opened };
}

describe('serve', () => {
  it('opens with the peers that are there, and measures the roofline', async () => {
    const worker = start();
    expect(await worker.ask(OPEN)).toEqual({
      type: 'opened',
      device: {
        ...{ kind: 'device', backend: 'webgpu', softwareGpu: true, description: 'fake', features: [] },
        roofline: ROOFLINE,
      },
      versions: { tfjs: '4', abacus: '0' },
      absentPeers: [{ name: 'abacus', reason: 'broken' }],
    });
    expect(worker.openedWith()).toEqual({ peers: [], absentPeers: [{ name: 'abacus', reason: 'broken' }] });
  });

  it('takes a roofline that is known, and looks for no peers when there shall be none', async () => {
    const known = { ...ROOFLINE, dispatchMs: 7 };
    const worker = start({ measureRoofline: refuse('not again'), detectPeers: refuse('nor those') });
    const answer = await worker.ask({ ...OPEN, peers: false, roofline: known });
    expect(answer).toMatchObject({
      type: 'opened',
      device: { roofline: known },
      versions: { tfjs: '4' },
      absentPeers: [],
    });
  });

  it('says why it did not open, and that nothing can be measured before it has', async () => {
    const worker = start({ open: () => Promise.reject(new Error('no adapter')) });
    expect(await worker.ask(OPEN)).toEqual({ type: 'failed', reason: 'no adapter' });
    expect(await worker.measure('good')).toMatchObject({
      type: 'failed',
      reason: expect.stringContaining('before "open"'),
    });
  });

  it('measures with every phase and contender reported, and few of the rounds', async () => {
    const worker = start();
    await worker.ask(OPEN);
    expect(await worker.measure('good')).toMatchObject({
      type: 'rows',
      rows: [{ comparison: 'good', status: 'measured', softwareGpu: true }],
      full: false,
    });
    const reports = worker.said.flatMap((one) => (one.type === 'progress' ? [one.progress] : []));
    expect(reports.slice(0, 3).map(({ phase }) => phase)).toEqual(['prepare', 'check', 'measure']);
    const { round, rounds = 0 } = reports.at(-1) ?? {};
    expect(round).toBe(rounds);
    expect(reports.length).toBeLessThan(3 + rounds / 4);
  });

  it('finds comparisons that only the backend as it turned out to be has', async () => {
    const worker = start();
    await worker.ask(OPEN);
    expect(await worker.measure('in-software')).toMatchObject({ type: 'rows' });
    expect(await worker.measure('none')).toMatchObject({
      type: 'failed',
      reason: 'there is no comparison one/none on webgpu in node at scale quick',
    });
  });

  it('says why a comparison could not be prepared, and answers the next question', async () => {
    const worker = start();
    const answers = await Promise.all([worker.ask(OPEN), worker.measure('unprepared'), worker.measure('good')]);
    expect(answers.map(({ type }) => type)).toEqual(['opened', 'failed', 'rows']);
    expect(answers[1]).toEqual({ type: 'failed', reason: 'no weights' });
  });

  it('asks to be replaced when it holds much memory, or when this backend failed', async () => {
    const [empty, full] = [start(), start({ full: () => true })];
    await Promise.all([empty.ask(OPEN), full.ask(OPEN)]);
    expect(await empty.measure('failing')).toMatchObject({ full: true, rows: [{ reason: 'out of memory' }] });
    expect(await empty.measure('failing-elsewhere')).toMatchObject({ full: false, rows: [{ status: 'failed' }] });
    expect(await full.measure('good')).toMatchObject({ full: true });
  });
});
