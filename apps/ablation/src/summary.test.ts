import { describe, expect, it } from 'vitest';
import { answers as answersOf } from './comparisons.ts';
import { plotStudy as plotOf } from './plot.ts';
import type { RunResult } from './runSetting.ts';
import { STRUCTSA_STUDY } from './structsaStudy.ts';
import { type SettingSummary, summarise as summariseOf } from './summary.ts';
import { comparisonsCsv, comparisonsTable, summaryCsv, summaryTable as tableOf } from './tables.ts';

const summarise = (runs: readonly RunResult[]) => summariseOf(STRUCTSA_STUDY, runs);
const answers = (runs: readonly RunResult[]) => answersOf(STRUCTSA_STUDY, runs);
const plotStudy = (summaries: readonly SettingSummary[]) => plotOf(STRUCTSA_STUDY, summaries);
const summaryTable = (summaries: readonly SettingSummary[]) => tableOf(STRUCTSA_STUDY, summaries);

const run = (setting: string, seed: number, correct: number): RunResult => ({
  setting,
  seed,
  task: 'motion',
  steps: 10,
  params: 1234,
  macs: 4_290_000,
  samples: 1000,
  correct,
  finalLoss: 1 + seed,
  seconds: 1,
});
// sa: mean 45, s 5; d4: mean 55, s 5; each seed 10 apart. t(2) = 4.30265, s / sqrt(3) = 2.88675: reach 12.421.
const runs = [
  run('d4', 0, 500),
  run('sa', 2, 500),
  run('sa', 0, 400),
  run('d4', 1, 550),
  run('sa', 1, 450),
  run('d4', 2, 600),
];

describe('summarise', () => {
  it('lists settings in the order of the table and accuracies in that of the seeds', () => {
    const summaries = summarise(runs);
    expect(summaries.map(({ setting }) => setting.id)).toEqual(['sa', 'd4']);
    expect(summaries[0]).toMatchObject({ params: 1234, macs: 4_290_000, accuracies: [0.4, 0.45, 0.5], finalLoss: 2 });
  });

  it('gives the means, their intervals and the paired differences to the reference', () => {
    const [sa, d4] = summarise(runs);
    expect(sa?.accuracy.mean).toBeCloseTo(0.45, 12);
    expect(sa?.accuracy.low).toBeCloseTo(0.45 - 0.12421, 4);
    expect(sa?.accuracy.high).toBeCloseTo(0.45 + 0.12421, 4);
    // All pairs differ by the same: the spread of the seeds cancels.
    expect(sa?.toReference?.low).toBeCloseTo(-0.1, 10);
    expect(sa?.toReference?.high).toBeCloseTo(-0.1, 10);
    expect(d4?.toReference).toBeUndefined();
  });
});

describe('the tables', () => {
  it('summary.csv: percent and points', () => {
    expect(summaryCsv(summarise(runs)).split('\n')[1]).toBe(
      'sa,plain attention (D = 0),1234,4290000,3,45.000,32.579,57.421,-10.000,-10.000,-10.000,2.0000,80.5,48.3',
    );
  });

  it('comparisons.csv: points, and what the paper says', () => {
    expect(comparisonsCsv(answers(runs)).split('\n').slice(1)).toEqual([
      'all of StructSA,sa,d4,3,10.000,10.000,10.000,0.6,2.1,agrees',
      '',
    ]);
  });

  it('Markdown for people, with signs', () => {
    expect(summaryTable(summarise(runs)).split('\n').slice(2)).toEqual([
      '| plain attention (D = 0) | `sa` | 1,234 | 4.29 M | 45.0 (32.6 to 57.4) | −10.0 (−10.0 to −10.0) | 48.3, 80.5 |',
      '| D = 4, the reference | `d4` | 1,234 | 4.29 M | 55.0 (42.6 to 67.4) |  | 50.4, 81.1 |',
    ]);
    expect(comparisonsTable(answers(runs))).toContain(
      '| all of StructSA | `sa` | `d4` | +2.1, +0.6 | +10.0 (+10.0 to +10.0) | agrees |',
    );
  });

  it('leave intervals out where there is one seed', () => {
    const one = runs.filter(({ seed }) => seed === 0);
    expect(summaryTable(summarise(one))).toContain('| 40.0 | −10.0 |');
    expect(summaryCsv(summarise(one))).toContain(',40.000,,,-10.000,,,');
  });
});

describe('plotStudy', () => {
  it('places values on the axes whose numbers it prints', () => {
    const plot = plotStudy(summarise(runs));
    const tick = (label: string) => {
      const found = plot.match(new RegExp(`<text x="([\\d.]+)"[^>]*class="muted centre">${label}</text>`));
      return Number(found?.[1]);
    };
    const x = tick('40') + ((tick('50') - tick('40')) * (45 - 40)) / 10;
    const means = [...plot.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="4.5" class="mean"\/>/g)];
    // One in the key; then the accuracy of the first setting.
    expect(Number(means[1]?.[1])).toBeCloseTo(x, 1);
    expect(plot.match(/class="interval"/g)).toHaveLength(1 + 2 + 1);
    expect(plot.match(/class="paper"/g)).toHaveLength(1 + 1);
  });

  it('can show one seed', () => {
    const plot = plotStudy(summarise(runs.filter(({ seed }) => seed === 0)));
    expect(plot).not.toMatch(/NaN|undefined|Infinity/);
    expect(plot.match(/class="interval"/g)).toHaveLength(1);
  });
});
