import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunLine } from '../core/run.ts';
import { RunFileError } from '../files/RunFileError.ts';
import { compareRuns, isRegression } from './compare.ts';
import { compareReport } from './compareReport.ts';
import { anyRun, baselineRow, DEVICE, HEADER, ratio, row, runOf, untimed } from './testing/runs.ts';

const THRESHOLD = 0.15;

const compare = (before: readonly RunLine[], after: readonly RunLine[]) => compareRuns(before, after, THRESHOLD);

const NOTHING = { warnings: [], regressions: [], improvements: [], broken: [], mended: [], vanished: [], added: [] };

describe('compareRuns', () => {
  it('finds nothing between a run and itself', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const comparison = compare(run, run);
        expect(comparison).toMatchObject(NOTHING);
        expect(isRegression(comparison)).toBe(false);
      }),
    );
  });

  it('finds a time that has become 20 % worse, wherever it stood', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), (value) => {
        const [before, after] = [value, 1.2 * value].map((timeRatio) =>
          runOf(row({ timeRatio: ratio(timeRatio, 0.02) }), baselineRow()),
        ) as [RunLine[], RunLine[]];
        const comparison = compare(before, after);
        expect(comparison.regressions).toMatchObject([{ gate: 'timeRatio', row: { contender: 'fused' } }]);
        expect(comparison.regressions[0]?.factor).toBeCloseTo(1.2, 9);
        expect(isRegression(comparison)).toBe(true);
      }),
    );
  });

  it('turns what is worse into what is better when the runs are swapped', () => {
    fc.assert(
      fc.property(anyRun, anyRun, (a, b) => {
        const [there, back] = [compare(a, b), compare(b, a)];
        const names = (changes: typeof there.regressions) =>
          changes.map(({ row, gate }) => `${row.comparison} ${gate}`).sort();
        expect(names(there.regressions)).toEqual(names(back.improvements));
        expect(names(there.improvements)).toEqual(names(back.regressions));
        expect(there.vanished).toHaveLength(back.added.length);
        expect(there.compared).toBe(back.compared);
      }),
    );
  });

  it('needs more than the threshold, and intervals that do not touch', () => {
    const at = (value: number, spread: number) => runOf(row({ timeRatio: ratio(value, spread) }), baselineRow());
    expect(compare(at(1, 0.01), at(1.14, 0.01)).regressions).toEqual([]);
    expect(compare(at(1, 0.1), at(1.2, 0.1)).regressions).toEqual([]);
    expect(compare(at(1, 0.01), at(1.2, 0.01)).regressions).toHaveLength(1);
    expect(compareRuns(at(1, 0.01), at(1.2, 0.01), 0.3).regressions).toEqual([]);
  });

  it('judges processor time and memory too, and never bare times', () => {
    const before = runOf(row(), baselineRow());
    const slow = { median: 200, quartiles: [190, 210], interval: [180, 220] } as const;
    expect(compare(before, runOf(row({ wallMs: slow }), baselineRow()))).toMatchObject(NOTHING);
    const after = runOf(row({ cpuRatio: ratio(0.8), memoryRatio: 0.1 }), baselineRow());
    expect(compare(before, after)).toMatchObject({
      regressions: [{ gate: 'cpuRatio' }],
      improvements: [{ gate: 'memoryRatio', before: { value: 0.25 }, after: { value: 0.1 } }],
    });
  });

  it('takes a peer that gains on us for a regression, and leaves peers among themselves alone', () => {
    const at = (value: number, role: 'saccade' | 'peer') =>
      runOf(
        row({ contender: 'onnxruntime', role: 'peer', baseline: 'base', timeRatio: ratio(value) }),
        baselineRow({ contender: 'base', baseline: 'base', role }),
      );
    expect(compare(at(2, 'saccade'), at(1, 'saccade'))).toMatchObject({ regressions: [{ gate: 'timeRatio' }] });
    expect(compare(at(1, 'saccade'), at(2, 'saccade'))).toMatchObject({ regressions: [], improvements: [{}] });
    expect(compare(at(2, 'peer'), at(1, 'peer'))).toMatchObject(NOTHING);
  });

  it('lists what is newly wrong, gone, new and mended', () => {
    const before = runOf(
      row({ comparison: 'breaks' }),
      row({ comparison: 'goes' }),
      row({ comparison: 'lost' }),
      untimed({ comparison: 'mends', status: 'wrong' }),
      untimed({ comparison: 'stays', status: 'failed' }),
    );
    const after = runOf(
      untimed({ comparison: 'breaks', status: 'wrong' }),
      untimed({ comparison: 'lost', status: 'absent' }),
      row({ comparison: 'mends' }),
      untimed({ comparison: 'stays', status: 'failed' }),
      row({ comparison: 'comes' }),
      untimed({ comparison: 'comes broken', status: 'failed' }),
    );
    const comparison = compare(before, after);
    const names = (changes: typeof comparison.broken) => changes.map(({ row }) => row.comparison);
    expect(names(comparison.broken)).toEqual(['breaks', 'comes broken']);
    expect(names(comparison.vanished)).toEqual(['goes', 'lost']);
    expect(names(comparison.mended)).toEqual(['mends']);
    expect(names(comparison.added)).toEqual(['comes']);
    expect(isRegression(comparison)).toBe(true);
  });

  it('does not blame us for what breaks elsewhere', () => {
    const comparison = compare(runOf(row({ role: 'peer' })), runOf(untimed({ role: 'peer', status: 'failed' })));
    expect(comparison.broken).toHaveLength(1);
    expect(isRegression(comparison)).toBe(false);
  });

  it('keeps GPUs in software apart from GPUs, and says that machines differ', () => {
    const on = (softwareGpu: boolean, timeRatio: number) => [
      HEADER,
      { ...DEVICE, backend: 'webgpu', softwareGpu, description: softwareGpu ? 'SwiftShader' : 'H200' },
      row({ backend: 'webgpu', softwareGpu, timeRatio: ratio(timeRatio) }),
      baselineRow({ backend: 'webgpu', softwareGpu }),
    ];
    const comparison = compare(on(false, 1), on(true, 3));
    expect(comparison).toMatchObject({ compared: 0, regressions: [], vanished: [{}, {}], added: [{}, {}] });
    expect(comparison.warnings).toEqual(['not the same GPU: H200, then SwiftShader (software)']);
    expect(compare(on(true, 1), on(true, 3)).regressions).toHaveLength(1);
    const other = { ...HEADER, scale: 'quick' as const, machine: { ...HEADER.machine, cores: 8 } };
    expect(compare(runOf(), [other, DEVICE]).warnings).toHaveLength(2);
  });

  it('does not compare ratios to different baselines', () => {
    const other = runOf(row({ baseline: 'another', timeRatio: ratio(9) }), baselineRow({ contender: 'another' }));
    const comparison = compare(runOf(row(), baselineRow()), other);
    expect(comparison.regressions).toEqual([]);
    expect(comparison.warnings[0]).toContain('composed, now another');
  });

  it('refuses a run with two rows of one contender', () => {
    expect(() => compare(runOf(row(), row()), runOf())).toThrow(RunFileError);
    // The order of parameters does not make another row.
    const [ab, ba] = [row({ parameters: { a: 1, b: 2 } }), row({ parameters: { b: 2, a: 1 } })];
    expect(() => compare(runOf(), runOf(ab, ba))).toThrow('the second run: two rows of fused in operators/attention');
  });
});

describe('compareReport', () => {
  it('says everything that a comparison found', () => {
    const before = runOf(row(), baselineRow(), row({ comparison: 'goes' }));
    const after = runOf(
      row({ timeRatio: ratio(0.75) }),
      baselineRow(),
      untimed({ comparison: 'dies', reason: 'a\n b' }),
    );
    const report = compareReport(compare(before, after), THRESHOLD);
    expect(report).toContain('Worse:');
    expect(report).toMatch(/operators\/attention +wasm +fused +composed +time +0\.5 \(.+\) +0\.75 \(.+\) +\+50/);
    expect(report).toMatch(/operators\/dies .+ not there +failed +a · b/);
    expect(report).toMatch(/operators\/goes .+ measured +not there/);
    expect(report).toContain('REGRESSIONS. Rows compared by ratios within each run: 1.');
    expect(compareReport(compare(before, before), THRESHOLD)).toMatch(
      /^No regressions\. Rows compared by ratios within each run: 2\./,
    );
  });
});
