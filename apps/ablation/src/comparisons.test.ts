import { describe, expect, it } from 'vitest';
import { STUDIES } from './allStudies.ts';
import { answers as answersOf, pairedDifferences } from './comparisons.ts';
import type { RunResult } from './runSetting.ts';
import { STRUCTSA_STUDY } from './structsaStudy.ts';

const run = (setting: string, seed: number, correct: number): RunResult => ({
  setting,
  seed,
  task: 'motion',
  steps: 10,
  params: 1,
  macs: 1,
  samples: 100,
  correct,
  finalLoss: 1,
  seconds: 1,
});
const answers = (runs: readonly RunResult[]) => answersOf(STRUCTSA_STUDY, runs);
const runsOf = (setting: string, corrects: readonly number[]) => corrects.map((c, seed) => run(setting, seed, c));
const find = (runs: readonly RunResult[], from: string, to: string) =>
  answers(runs).find((answer) => answer.from === from && answer.to === to);

describe.each(STUDIES)('the questions of $id', ({ questions, settings, reference }) => {
  it('name settings that exist', () => {
    const ids = [reference, ...questions.flatMap(({ from, to }) => [from, to])];
    expect(ids.filter((id) => !settings.some((setting) => setting.id === id))).toEqual([]);
  });
});

describe('pairedDifferences', () => {
  it('pairs runs of one seed, in whatever order they were made, and leaves out the others', () => {
    const runs = [run('d4', 2, 70), run('sa', 0, 40), run('d4', 0, 50), run('sa', 2, 45), run('d4', 1, 99)];
    expect(pairedDifferences(runs, 'sa', 'd4').map((d) => Math.round(100 * d))).toEqual([25, 10]);
  });
});

describe('answers', () => {
  it('has the mean difference with its interval, and the difference of the published rows', () => {
    // Differences 8, 10, 12 points: mean 10, s 2, t(2) 4.30265.
    const answer = find([...runsOf('sa', [40, 50, 60]), ...runsOf('d4', [48, 60, 72])], 'sa', 'd4');
    expect(answer?.seeds).toBe(3);
    expect(answer?.difference.mean).toBeCloseTo(0.1, 10);
    expect(answer?.difference.low).toBeCloseTo(0.1 - (4.30265 * 0.02) / Math.sqrt(3), 6);
    expect(answer?.difference.high).toBeCloseTo(0.1 + (4.30265 * 0.02) / Math.sqrt(3), 6);
    expect(answer?.paper).toEqual({ imagenet: 0.6, something: 2.1 });
  });

  it('compares the side of zero on which the whole interval lies with the sign of the paper', () => {
    const against = (d4: readonly number[]) => find([...runsOf('sa', [40, 50, 60]), ...runsOf('d4', d4)], 'sa', 'd4');
    expect(against([48, 60, 72])?.verdict).toBe('agrees');
    expect(against([32, 40, 48])?.verdict).toBe('disagrees');
    expect(against([50, 40, 75])?.verdict).toBe('cannot tell');
  });

  it('says nothing about direction from one seed, and nothing about rows that the paper lacks', () => {
    expect(find([run('sa', 0, 10), run('d4', 0, 90)], 'sa', 'd4')?.verdict).toBe('cannot tell');
    const runs = [...runsOf('params', [40, 50, 60]), ...runsOf('d4', [48, 60, 72])];
    expect(find(runs, 'params', 'd4')?.verdict).toBe('not in the paper');
  });

  it('leaves out what the study did not run', () => {
    expect(answers(runsOf('sa', [1, 2])).length).toBe(0);
  });
});
