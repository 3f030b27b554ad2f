import { describe, expect, it, vi } from 'vitest';
import type { Contender } from './comparison.ts';
import { type MeasureContext, type MeasureProgress, measureComparison } from './measure.ts';
import type { Row } from './row.ts';
import { Clock, fakeBench, fakeComparison, fakeContender, OPTIONS, RIGHT, TIMES } from './testing/fakeBench.ts';

const context = (clock: Clock, more: Partial<MeasureContext> = {}): MeasureContext => ({
  bench: fakeBench(clock),
  options: OPTIONS,
  ...more,
});

const rowOf = (rows: readonly Row[], contender: string): Row => {
  const row = rows.find((row) => row.contender === contender);
  if (row === undefined) throw new Error(`there is no row of ${contender}`);
  return row;
};

describe('measureComparison', () => {
  it('times whoever is right, against the baseline', async () => {
    const clock = new Clock();
    const contenders = [fakeContender(clock, 'fused', 2), fakeContender(clock, 'explicit', 6)];
    const rows = await measureComparison(fakeComparison(contenders, { baseline: 'explicit' }), context(clock));
    expect(rows.map(({ contender, status }) => [contender, status])).toEqual([
      ['fused', 'measured'],
      ['explicit', 'measured'],
    ]);
    expect(rowOf(rows, 'fused')).toMatchObject({
      kind: 'row',
      suite: 'tests',
      comparison: 'fake/n49',
      parameters: { tokens: 49 },
      backend: 'cpu',
      softwareGpu: false,
      check: RIGHT,
      wallMs: { median: 2, quartiles: [2, 2], interval: [2, 2] },
      runsPerSample: 1,
      baseline: 'explicit',
      timeRatio: { value: expect.closeTo(1 / 3, 12) },
      memoryRatio: 1,
      peakTensorBytes: 100,
      peakDeviceBytes: 400,
      compileMs: 0,
    });
    expect(rowOf(rows, 'explicit').timeRatio).toEqual({ value: 1, interval: [1, 1] });
  });

  it('lets all take their turn in every round, in changing orders, at least 20 times', async () => {
    const clock = new Clock();
    const turns: string[] = [];
    let measuring = false;
    const names = ['a', 'b', 'c'];
    const contenders = names.map((name) =>
      fakeContender(clock, name, 10, {
        async run() {
          clock.pass(10);
          if (measuring) turns.push(name);
          return undefined;
        },
      }),
    );
    const onProgress = ({ phase, round }: MeasureProgress) => {
      measuring = phase === 'measure' && round !== undefined;
    };
    const rows = await measureComparison(fakeComparison(contenders), context(clock, { onProgress }));
    expect(turns).toHaveLength(20 * 3);
    const rounds = Array.from({ length: 20 }, (_, round) => turns.slice(3 * round, 3 * round + 3));
    for (const round of rounds) expect([...round].sort()).toEqual(names);
    expect(new Set(rounds.map(String)).size, 'different orders').toBeGreaterThan(3);
    for (const row of rows) expect(row.samplesMs).toHaveLength(20);
  });

  it('takes more samples of short work, up to the most, and repeats within a sample what the clock cannot see', async () => {
    const clock = new Clock();
    const rows = await measureComparison(fakeComparison([fakeContender(clock, 'short', 0.25)]), context(clock));
    expect(rows[0]).toMatchObject({ runsPerSample: 4, wallMs: { median: 0.25 } });
    expect(rows[0]?.samplesMs).toHaveLength(OPTIONS.mostSamples);
  });

  it('has the first run apart from the others', async () => {
    const clock = new Clock();
    let runs = 0;
    const compiling = fakeContender(clock, 'compiling', 0, {
      async run() {
        clock.pass(runs++ === 0 ? 57 : 7);
        return undefined;
      },
    });
    const rows = await measureComparison(fakeComparison([compiling]), context(clock));
    expect(rows[0]).toMatchObject({ compileMs: 50, wallMs: { median: 7, quartiles: [7, 7] } });
  });

  it('times the second upload, which compiles nothing', async () => {
    const clock = new Clock();
    let uploads = 0;
    const upload = async () => {
      clock.pass(uploads++ === 0 ? 90 : 4);
      return 1024;
    };
    const rows = await measureComparison(fakeComparison([fakeContender(clock, 'a', 2, { upload })]), context(clock));
    expect(rows[0]).toMatchObject({ uploadMs: 4, uploadBytes: 1024 });
  });

  it('has the times of the processor and of the GPU where the bench has them', async () => {
    const clock = new Clock();
    const bench = fakeBench(clock, {
      cpu: () => 3 * clock.now,
      async gpuTime(action) {
        action();
        return 1.5;
      },
    });
    const dispatch = vi.fn();
    const contenders = [fakeContender(clock, 'a', 0.5, { dispatch }), fakeContender(clock, 'no GPU', 2)];
    const rows = await measureComparison(fakeComparison(contenders, { baseline: 'a' }), context(clock, { bench }));
    // Two runs make a sample, on the GPU too.
    expect(rowOf(rows, 'a')).toMatchObject({ runsPerSample: 2, cpuMs: { median: 1.5 }, gpuMs: { median: 0.75 } });
    expect(dispatch).toHaveBeenCalledTimes(2 * (rowOf(rows, 'a').samplesMs?.length ?? 0));
    expect(rowOf(rows, 'no GPU')).not.toHaveProperty('gpuMs');
    expect(rowOf(rows, 'no GPU').cpuRatio?.value).toBeCloseTo(4, 10);
  });

  it('takes the times of those that compute elsewhere from them', async () => {
    const clock = new Clock();
    const elsewhere = fakeContender(clock, 'process', 0, {
      role: 'peer',
      async run() {
        clock.pass(30); // most of it is the way there
        return { wallMs: 3, cpuMs: 5, peakBytes: 7000, quantities: { threads: 2 } };
      },
    });
    const rows = await measureComparison(fakeComparison([elsewhere]), context(clock));
    expect(rows[0]).toMatchObject({
      role: 'peer',
      wallMs: { median: 3 },
      cpuMs: { median: 5 },
      peakDeviceBytes: 7000,
      runsPerSample: 1,
      quantities: { threads: 2 },
    });
  });

  it('says how much of the roofline is reached, of ours', async () => {
    const clock = new Clock();
    const roofline = { flopsPerSecond: 100e9, bytesPerSecond: 10e9, dispatchMs: 0.1 };
    const contenders = [
      fakeContender(clock, 'ours', 40, { cost: { macs: 1e9 } }),
      fakeContender(clock, 'theirs', 40, { cost: { macs: 1e9 }, role: 'peer' }),
    ];
    const rows = await measureComparison(fakeComparison(contenders), context(clock, { roofline }));
    expect(rowOf(rows, 'ours').roofline?.percent).toBeCloseTo(50, 9);
    expect(rowOf(rows, 'theirs').roofline).toBeUndefined();
  });

  it('skips what the budget does not allow, after its first run or by its estimate', async () => {
    const clock = new Clock();
    const check = vi.fn(async () => RIGHT);
    const contenders = [
      fakeContender(clock, 'first run', 1001, { check }),
      fakeContender(clock, 'twenty runs', 51),
      fakeContender(clock, 'in time', 2),
    ];
    const rows = await measureComparison(fakeComparison(contenders), context(clock));
    expect(rowOf(rows, 'first run')).toMatchObject({
      status: 'skipped',
      reason: 'its first run took 1.0 s, of 1.0 s that are given (--budget)',
    });
    expect(check).not.toHaveBeenCalled();
    expect(rowOf(rows, 'twenty runs')).toMatchObject({ status: 'skipped', reason: expect.stringContaining('20 runs') });
    expect(rowOf(rows, 'in time').status).toBe('measured');
    for (const name of ['first run', 'twenty runs']) {
      for (const time of TIMES) expect(rowOf(rows, name)).not.toHaveProperty(time);
    }
  });

  it('gives who fails a row with the reason, and the others their times', async () => {
    const clock = new Clock();
    const failing = (name: string, after: number): Contender => {
      let runs = 0;
      return fakeContender(clock, name, 0, {
        async run() {
          clock.pass(2);
          if (runs++ >= after) throw new Error('device lost');
          return undefined;
        },
      });
    };
    const contenders = [failing('at once', 0), failing('later', 12), fakeContender(clock, 'well', 2)];
    const comparison = fakeComparison(contenders, { baseline: 'later' });
    const rows = await measureComparison(comparison, context(clock));
    for (const name of ['at once', 'later']) {
      expect(rowOf(rows, name)).toMatchObject({ status: 'failed', reason: 'device lost' });
      for (const time of TIMES) expect(rowOf(rows, name)).not.toHaveProperty(time);
    }
    expect(rowOf(rows, 'well').samplesMs?.length).toBeGreaterThanOrEqual(20);
    expect(rowOf(rows, 'well')).not.toHaveProperty('baseline');
    expect(comparison.disposed()).toBe(1);
  });

  it('takes the time back from who is wrong in the end', async () => {
    const clock = new Clock();
    const check = vi
      .fn(async () => RIGHT)
      .mockResolvedValueOnce(RIGHT)
      .mockResolvedValueOnce({ ...RIGHT, error: 0.01 });
    const rows = await measureComparison(fakeComparison([fakeContender(clock, 'a', 2, { check })]), context(clock));
    expect(rows[0]).toMatchObject({ status: 'wrong', check: { error: 0.01 } });
    for (const time of TIMES) expect(rows[0]).not.toHaveProperty(time);
  });

  it('measures quantities where there is no time, of who is right', async () => {
    const clock = new Clock();
    const run = vi.fn();
    const bytes = { run, quantities: async () => ({ gzipBytes: 1234 }) };
    const contenders = [
      fakeContender(clock, 'bundle', 0, bytes),
      fakeContender(clock, 'broken bundle', 0, { ...bytes, check: async () => ({ ...RIGHT, error: 1 }) }),
    ];
    const rows = await measureComparison(fakeComparison(contenders), context(clock));
    expect(rowOf(rows, 'bundle')).toMatchObject({ status: 'measured', quantities: { gzipBytes: 1234 }, check: RIGHT });
    expect(rowOf(rows, 'broken bundle')).toMatchObject({ status: 'wrong' });
    expect(rowOf(rows, 'broken bundle')).not.toHaveProperty('quantities');
    expect(run).not.toHaveBeenCalled();
  });

  it('has a row for who is absent', async () => {
    const clock = new Clock();
    const absent = [
      { name: 'PyTorch', reason: 'no python3 with torch' },
      { name: 'explicit', reason: '2.4 GB', status: 'skipped' as const, role: 'saccade' as const },
    ];
    const rows = await measureComparison(fakeComparison([], { absent }), context(clock));
    expect(rows).toMatchObject([
      { contender: 'PyTorch', role: 'peer', status: 'absent', reason: 'no python3 with torch' },
      { contender: 'explicit', role: 'saccade', status: 'skipped', reason: '2.4 GB' },
    ]);
  });

  it('stops when it is told to, and tidies up', async () => {
    const clock = new Clock();
    const stop = new AbortController();
    let runs = 0;
    const contender = fakeContender(clock, 'a', 2, {
      async run() {
        clock.pass(2);
        if (++runs === 10) stop.abort(new Error('enough'));
        return undefined;
      },
    });
    const comparison = fakeComparison([contender]);
    const measuring = measureComparison(comparison, context(clock, { signal: stop.signal }));
    await expect(measuring).rejects.toThrow('enough');
    expect(runs).toBe(10);
    expect(comparison.disposed()).toBe(1);
  });
});
