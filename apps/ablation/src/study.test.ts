import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeOutputs } from './outputs.ts';
import { ResultsFileError, readRuns } from './resultsFile.ts';
import type { RunResult } from './runSetting.ts';
import { STRUCTSA_STUDY } from './structsaStudy.ts';
import { runStudy, type StudyPlan } from './study.ts';

const plan: StudyPlan = {
  network: STRUCTSA_STUDY.network,
  settings: STRUCTSA_STUDY.settings.filter(({ id }) => id === 'sa' || id === 'd1'),
  seeds: 2,
  task: 'motion',
  steps: 3,
  samples: 32,
};
/** What a run is, without how long it took. */
const outcome = ({ seconds: _, ...rest }: RunResult) => rest;
let folder: string;

beforeAll(() => setupBackend('wasm'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saccade-ablation-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('runStudy', () => {
  it('trains every setting with every seed, seed by seed, and stores each run', async () => {
    const steps: number[] = [];
    const before = tf.memory().numTensors;
    const runs = await runStudy(plan, { folder, onProgress: ({ stepsDone }) => steps.push(stepsDone) });
    expect(tf.memory().numTensors).toBe(before);
    expect(runs.map(({ setting, seed }) => `${setting} ${seed}`)).toEqual(['sa 0', 'd1 0', 'sa 1', 'd1 1']);
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for (const run of runs) {
      expect(run).toMatchObject({ task: 'motion', steps: 3, samples: 32 });
      expect(Number.isInteger(run.correct) && run.correct >= 0 && run.correct <= 32).toBe(true);
      // Hardly trained: near the loss of guessing, ln 16 = 2.77.
      expect(Math.abs(run.finalLoss - Math.log(16))).toBeLessThan(0.5);
    }
    expect(runs[0]?.params).toBe(plan.settings[0]!.cost('motion').params);
    expect(await readRuns(join(folder, 'ablation.csv'))).toEqual(runs);
  });

  it('goes on after an abort with what is missing, to the results of a study that never stopped', async () => {
    const abort = new AbortController();
    const stopped = runStudy(plan, {
      folder,
      signal: abort.signal,
      // In the middle of the second run.
      onProgress: ({ stepsDone }) => stepsDone === 4 && abort.abort(new Error('Ctrl-C')),
    });
    await expect(stopped).rejects.toThrow('Ctrl-C');
    expect((await readRuns(join(folder, 'ablation.csv'))).map(({ setting }) => setting)).toEqual(['sa']);

    const trained: string[] = [];
    const resumed = await runStudy(plan, {
      folder,
      resume: true,
      onRun: ({ setting, seed }) => trained.push(`${setting} ${seed}`),
    });
    expect(trained).toEqual(['d1 0', 'sa 1', 'd1 1']);
    const whole = await mkdtemp(join(folder, 'whole-'));
    expect(resumed.map(outcome)).toEqual((await runStudy(plan, { folder: whole })).map(outcome));
  });

  it('refuses runs that it was not told to go on with, and runs that were made in another way', async () => {
    const one = { ...plan, seeds: 1, settings: plan.settings.slice(0, 1) };
    await runStudy(one, { folder });
    await expect(runStudy(one, { folder })).rejects.toThrow(ResultsFileError);
    await expect(runStudy(one, { folder })).rejects.toThrow(/holds 1 runs already: add --resume/);
    await expect(runStudy({ ...one, steps: 4 }, { folder, resume: true })).rejects.toThrow(/with steps 3.*with 4/);
    await expect(runStudy({ ...one, task: 'speed' }, { folder, resume: true })).rejects.toThrow(/"motion".*"speed"/);

    const recipe = join(folder, 'recipe.json');
    await copyFile(recipe, `${recipe}.kept`);
    await writeFile(recipe, (await readFile(recipe, 'utf8')).replace('"depth": 2', '"depth": 3'));
    await expect(runStudy(one, { folder, resume: true })).rejects.toThrow(/network \{.*"depth":3.*"depth":2/);
    await writeFile(recipe, '{');
    await expect(runStudy(one, { folder, resume: true })).rejects.toThrow(/expected JSON/);
    await rm(recipe);
    await expect(runStudy(one, { folder, resume: true })).rejects.toThrow(/recipe.json is missing.*the 1 runs/);
    await copyFile(`${recipe}.kept`, recipe);
    expect(await runStudy(one, { folder, resume: true })).toHaveLength(1);
  });
});

describe('writeOutputs', () => {
  it('writes tables and a plot of what was run', async () => {
    const runs = await runStudy(plan, { folder });
    await writeOutputs(folder, STRUCTSA_STUDY, runs);
    const read = (name: string) => readFile(join(folder, name), 'utf8');
    expect((await read('summary.csv')).split('\n')).toHaveLength(4);
    expect(await read('comparisons.csv')).toContain('convolved keys and values,sa,d1,2,');
    const plot = await read('ablation.svg');
    expect(plot.match(/class="seed"/g)).toHaveLength(4 + 1);
    expect(plot).not.toMatch(/NaN|undefined/);
  });
});
