import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MOTION_TASKS } from '@saccade/datasets';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatRuns, parseRuns, ResultsFileError, readRuns, writeRuns } from './resultsFile.ts';
import type { RunResult } from './runSetting.ts';

const count = fc.nat();
const runs: fc.Arbitrary<RunResult> = fc.record({
  setting: fc.constantFrom('sa', 'd4', 'shared-kv'),
  seed: count,
  task: fc.constantFrom(...MOTION_TASKS),
  steps: count,
  params: count,
  macs: count,
  samples: count,
  correct: count,
  finalLoss: fc.double({ min: 0, max: 10, noNaN: true }).filter((value) => !Object.is(value, -0)),
  seconds: fc.double({ min: 0, max: 1e4, noNaN: true }).filter((value) => !Object.is(value, -0)),
});
const good = 'setting,seed,task,steps,params,macs,samples,correct,finalLoss,seconds\nd4,1,motion,10,5,6,100,50,1.5,2\n';

describe('formatRuns and parseRuns', () => {
  it('give back what they were given', () => {
    fc.assert(
      fc.property(fc.array(runs), (all) => {
        expect(parseRuns(formatRuns(all), 'a')).toEqual(all);
      }),
    );
  });

  it('read and write the columns by name', () => {
    const [run] = parseRuns(good, 'a');
    expect(run).toMatchObject({ setting: 'd4', seed: 1, steps: 10, samples: 100, correct: 50, finalLoss: 1.5 });
    expect(formatRuns([run as RunResult])).toBe(good);
  });

  it.each([
    ['another heading', good.replace('steps', 'step'), /expected the columns setting,seed,task,steps/],
    ['half a row', good.replace(',50,1.5,2', ',5'), /row 1: expected a number as finalLoss, got ""/],
    ['a word for a number', good.replace('1.5', 'low'), /expected a number as finalLoss, got "low"/],
    ['a task that does not exist', good.replace('motion', 'jumping'), /direction, speed, motion.*got "jumping"/],
    ['no setting', good.replace('d4', ''), /expected the id of a setting/],
  ])('refuse %s', (_, text, message) => {
    expect(() => parseRuns(text, 'a.csv')).toThrow(ResultsFileError);
    expect(() => parseRuns(text, 'a.csv')).toThrow(message);
  });
});

describe('readRuns and writeRuns', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'saccade-ablation-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('find nothing where there is no file, then what was written, and leave no other file', async () => {
    const path = join(folder, 'ablation.csv');
    expect(await readRuns(path)).toEqual([]);
    const all = parseRuns(good, 'a');
    await writeRuns(path, all);
    expect(await readRuns(path)).toEqual(all);
    expect(await readdir(folder)).toEqual(['ablation.csv']);
  });
});
