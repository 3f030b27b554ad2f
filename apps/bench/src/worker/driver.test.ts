import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Comparison, Suite } from '../core/comparison.ts';
import { MEASURE } from '../core/measure.ts';
import type { Row } from '../core/row.ts';
import type { RunLine } from '../core/run.ts';
import { ALL_CONTENDERS, runBench, SETUP } from './driver.ts';
import type { RunHome, RunPlan, RunProgress } from './plan.ts';
import { FakeWorker, fakeRow, openedOn, ROOFLINE, type Script } from './testing/fakeWorker.ts';

const PLAN: RunPlan = {
  home: 'node',
  scale: 'quick',
  backends: ['wasm'],
  suites: ['one', 'two'],
  peers: false,
  measure: MEASURE.quick,
};

const comparison = (suite: string, id: string): Comparison => ({
  suite,
  id,
  parameters: { size: 1 },
  prepare: () => Promise.reject(new Error('only a worker prepares')),
});

const suite = (name: string, ids: readonly string[], more: Partial<Suite> = {}): Suite => ({
  name,
  title: name,
  homes: ['node'],
  backends: ['wasm', 'webgpu'],
  comparisons: () => ids.map((id) => comparison(name, id)),
  ...more,
});

const SUITES = [suite('one', ['a', 'b']), suite('two', ['c']), suite('browsers', ['d'], { homes: ['browser'] })];

/** Opens, and measures a row for each comparison. */
const willing: Script = (message) =>
  message.type === 'open'
    ? openedOn(message.place)
    : { type: 'rows', rows: [fakeRow(message.suite, message.comparison)], full: false };

function homeOf(script: Script, more: Partial<RunHome> = {}) {
  const workers: FakeWorker[] = [];
  const given: RunLine[] = [];
  const progress: RunProgress[] = [];
  const home: RunHome = {
    header: { machine: { processor: 'abacus', cores: 1, system: 'none' }, versions: { node: '20' } },
    startWorker() {
      const worker = new FakeWorker(script);
      workers.push(worker);
      return worker;
    },
    onLine: (line) => given.push(line),
    onProgress: (one) => progress.push(one),
    ...more,
  };
  return { home, workers, given, progress };
}

const measured = ({ heard }: FakeWorker) => heard.flatMap((one) => (one.type === 'measure' ? [one.comparison] : []));
const rowsOf = (lines: readonly RunLine[]) => lines.filter((line): line is Row => line.kind === 'row');

describe('runBench', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  async function run(plan: RunPlan, home: RunHome, suites = SUITES): Promise<RunLine[]> {
    const running = runBench(plan, home, suites);
    // Whoever awaits it below hears of a rejection.
    running.catch(() => undefined);
    await vi.runAllTimersAsync();
    return await running;
  }

  it('gives the header, the device, the rows in order of the suites, and every line when it is known', async () => {
    const { home, workers, given, progress } = homeOf(willing);
    const lines = await run(PLAN, home);
    expect(lines.map(({ kind }) => kind)).toEqual(['run', 'device', 'row', 'row', 'row']);
    expect(lines[0]).toMatchObject({ scale: 'quick', versions: { node: '20', fakelib: '1.2.3' } });
    // The suite that is left out belongs to browsers.
    expect(lines[0]).toMatchObject({ options: { whole: true, suites: ['one', 'two'], samples: 20 } });
    expect(rowsOf(lines).map(({ comparison }) => comparison)).toEqual(['a', 'b', 'c']);
    expect(given).toEqual(lines);
    expect(workers).toHaveLength(1);
    expect(workers[0]).toMatchObject({ terminated: true });
    expect(progress.at(-1)).toEqual({ done: 3, total: 3, backend: 'wasm' });
  });

  it('ends with the slopes over the tokens', async () => {
    const tokens = [784, 1568, 3136];
    const growing = [
      suite(
        'one',
        tokens.map((n) => `n${n}`),
      ),
    ];
    const { home } = homeOf((message) => {
      if (message.type === 'open') return openedOn(message.place);
      const n = Number(message.comparison.slice(1));
      const at = n ** 2 / 1e4;
      const wallMs = { median: at, quartiles: [at, at], interval: [at, at] } as const;
      return {
        type: 'rows',
        rows: [fakeRow('one', message.comparison, { parameters: { tokens: n }, wallMs })],
        full: false,
      };
    });
    const last = (await run(PLAN, home, growing)).at(-1);
    expect(last).toMatchObject({ kind: 'slope', quantity: 'wallMs', contender: 'ours', tokens });
    expect((last as { slope: number }).slope).toBeCloseTo(2, 6);
  });

  it('measures some, when only some are wanted', async () => {
    const { home, workers } = homeOf(willing);
    const [header] = await run({ ...PLAN, only: ['one/b', 'c'] }, home);
    expect(header).toMatchObject({ options: { whole: false, only: ['one/b', 'c'] } });
    expect(workers.flatMap(measured)).toEqual(['b', 'c']);
  });

  it('starts no worker for a backend without comparisons', async () => {
    const { home, workers } = homeOf(willing);
    const lines = await run({ ...PLAN, backends: ['cpu'] }, home);
    expect(workers).toHaveLength(0);
    expect(lines.map(({ kind }) => kind)).toEqual(['run']);
  });

  it('lists what suits a software GPU, once it is known that there is one', async () => {
    const large = suite('one', [], {
      comparisons: ({ softwareGpu }) =>
        (softwareGpu ? ['small'] : ['small', 'large']).map((id) => comparison('one', id)),
    });
    const { home, workers, progress } = homeOf((message, worker) =>
      message.type === 'open' ? openedOn(message.place, true) : willing(message, worker),
    );
    await run({ ...PLAN, backends: ['webgpu'] }, home, [large]);
    expect(workers.flatMap(measured)).toEqual(['small']);
    expect(progress.at(-1)).toMatchObject({ done: 1, total: 1 });
  });

  it('gives a comparison that kills its worker a row that says so, once, and goes on with a new worker', async () => {
    const { home, workers } = homeOf((message, worker) => {
      if (message.type !== 'measure' || message.comparison !== 'a') return willing(message, worker);
      worker.die('killed by SIGKILL');
      return undefined;
    });
    const rows = rowsOf(await run(PLAN, home));
    expect(rows).toMatchObject([
      { comparison: 'a', contender: ALL_CONTENDERS, status: 'failed', parameters: { size: 1 } },
      { comparison: 'b', status: 'measured' },
      { comparison: 'c', status: 'measured' },
    ]);
    expect(rows[0]?.reason).toBe('the worker ended: killed by SIGKILL');
    expect(workers.map(measured)).toEqual([['a'], ['b', 'c']]);
    // The roofline was measured by the first one.
    expect(workers.map(({ heard }) => heard[0])).toMatchObject([{ roofline: 'measure' }, { roofline: ROOFLINE }]);
  });

  it('goes on with a new worker after one that failed, or that is full', async () => {
    const { home, workers } = homeOf((message) => {
      if (message.type === 'open') return openedOn(message.place);
      if (message.comparison === 'a') return { type: 'failed', reason: 'no weights' };
      return { type: 'rows', rows: [fakeRow(message.suite, message.comparison)], full: message.comparison === 'b' };
    });
    const rows = rowsOf(await run(PLAN, home));
    expect(rows.map(({ status, reason }) => reason ?? status)).toEqual(['no weights', 'measured', 'measured']);
    expect(workers.map(measured)).toEqual([['a'], ['b'], ['c']]);
    expect(workers.every(({ terminated }) => terminated)).toBe(true);
  });

  it('ends a worker that hangs, but not one that is slow and says so', async () => {
    const { home, workers } = homeOf((message, worker) => {
      if (message.type !== 'measure' || message.comparison === 'c') return willing(message, worker);
      if (message.comparison === 'b') return undefined;
      for (let minute = 1; minute <= 10; minute++) {
        const progress = { phase: 'measure', round: minute, rounds: 10 } as const;
        setTimeout(() => worker.say({ type: 'progress', progress }), minute * 60_000);
      }
      setTimeout(() => worker.say({ type: 'rows', rows: [fakeRow('one', 'a')], full: false }), 601_000);
      return undefined;
    });
    const rows = rowsOf(await run(PLAN, home));
    expect(rows.map(({ status }) => status)).toEqual(['measured', 'failed', 'measured']);
    expect(rows[1]?.reason).toBe('the worker ended: it said nothing for 135 s and was stopped');
    expect(workers.map(measured)).toEqual([['a', 'b'], ['c']]);
    expect(workers[0]?.terminated).toBe(true);
  });

  it('gives a backend that cannot be opened one row, and goes on with the next', async () => {
    const { home } = homeOf((message, worker) =>
      message.type === 'open' && message.place.backend === 'webgpu'
        ? { type: 'failed', reason: 'no adapter' }
        : willing(message, worker),
    );
    const lines = await run({ ...PLAN, backends: ['webgpu', 'wasm'] }, home);
    expect(lines.map(({ kind }) => kind)).toEqual(['run', 'row', 'device', 'row', 'row', 'row']);
    expect(lines[1]).toMatchObject({ suite: SETUP, comparison: 'webgpu', status: 'failed', reason: 'no adapter' });
  });

  it('does not try forever to open a backend again', async () => {
    let opened = 0;
    const { home, workers } = homeOf((message, worker) => {
      if (message.type === 'open' && opened++ > 0) worker.die('no memory');
      else if (message.type === 'measure') worker.die('no more memory');
      else return willing(message, worker);
      return undefined;
    });
    const rows = rowsOf(await run(PLAN, home));
    expect(rows.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    expect(rows.map(({ reason }) => reason)).toEqual(
      ['no more memory', 'no memory', 'no memory'].map((reason) => `the worker ended: ${reason}`),
    );
    expect(workers).toHaveLength(2);
  });

  it.each(['open', 'measure'] as const)(
    'stops at once while a worker is at "%s", and keeps the lines so far',
    async (at) => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const { home, workers, given } = homeOf(
        (message, worker) => {
          if (message.type !== at || (message.type === 'measure' && message.comparison === 'a'))
            return willing(message, worker);
          setTimeout(() => controller.abort(reason), 50);
          return undefined;
        },
        { signal: controller.signal },
      );
      await expect(run(PLAN, home)).rejects.toBe(reason);
      expect(given.map(({ kind }) => kind)).toEqual(at === 'open' ? [] : ['run', 'device', 'row']);
      expect(workers.map(({ terminated }) => terminated)).toEqual([true]);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it('starts nothing when aborted before', async () => {
    const { home, workers } = homeOf(willing, { signal: AbortSignal.abort(new Error('no')) });
    await expect(run(PLAN, home)).rejects.toThrow('no');
    expect(workers).toHaveLength(0);
  });
});
