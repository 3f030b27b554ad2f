import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { STUDIES } from './allStudies.ts';
import { answers } from './comparisons.ts';
import { resultTables } from './outputs.ts';
import { plotStudy } from './plot.ts';
import { plotProbes } from './plotProbes.ts';
import { readProbes } from './probes.ts';
import { keepRecipe } from './recipeFile.ts';
import { readRuns } from './resultsFile.ts';
import type { Study } from './studies.ts';
import { summarise } from './summary.ts';
import { comparisonsCsv, summaryCsv } from './tables.ts';

const inApp = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const committed = await readdir(inApp('results'));

describe('the committed results', () => {
  it('are there for StructSA', () => expect(committed).toContain('structsa'));

  describe.each(committed)('of %s', (id) => {
    const study = STUDIES.find((one) => one.id === id) as Study;
    const place = (name: string) => inApp(`results/${id}/${name}`);
    const runs = () => readRuns(place('ablation.csv'));

    it('have every setting with the same seeds, at least five', async () => {
      const all = await runs();
      const seedsOf = (setting: string) =>
        all.flatMap((run) => (run.setting === setting ? [run.seed] : [])).sort((a, b) => a - b);
      const [first, ...others] = study.settings.map((setting) => seedsOf(setting.id));
      expect(new Set(first).size).toBeGreaterThanOrEqual(5);
      for (const seeds of others) expect(seeds).toEqual(first);
    });

    it('were made by the recipe that the code has, with the costs that it counts', async () => {
      const all = await runs();
      const [first] = all;
      if (!first) throw new Error('no runs');
      await keepRecipe(place('recipe.json'), { ...first, network: study.network }, all.length);
      for (const { setting, params, macs, task, steps, samples } of all) {
        expect(study.settings.find((one) => one.id === setting)?.cost(task)).toMatchObject({ params, macs });
        expect({ task, steps, samples }).toEqual({ task: first.task, steps: first.steps, samples: first.samples });
      }
    });

    it('come to the tables and the plot beside them, and to those of the README', async () => {
      const all = await runs();
      const summaries = summarise(study, all);
      const read = (path: string) => readFile(path, 'utf8');
      expect(await read(place('summary.csv'))).toBe(summaryCsv(summaries));
      expect(await read(place('comparisons.csv'))).toBe(comparisonsCsv(answers(study, all)));
      expect(await read(place('ablation.svg'))).toBe(plotStudy(study, summaries));
      const probes = await readProbes(place('probes.csv'));
      if (probes.length > 0) expect(await read(place('probes.svg'))).toBe(plotProbes(study, probes));
      const readme = await read(inApp('README.md'));
      for (const table of resultTables(study, all).split('\n\n')) expect(readme).toContain(table);
    });
  });
});
