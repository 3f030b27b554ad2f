import { resolve } from 'node:path';
import { answers } from './comparisons.ts';
import { plotStudy } from './plot.ts';
import { plotProbes } from './plotProbes.ts';
import { readProbes } from './probes.ts';
import type { RunResult } from './runSetting.ts';
import type { Study } from './studies.ts';
import { summarise } from './summary.ts';
import { comparisonsCsv, comparisonsTable, summaryCsv, summaryTable } from './tables.ts';
import { writeWhole } from './writeWhole.ts';

/** Writes what the runs of a study come to into its folder: two tables, a plot, and a plot of what its probes saw. */
export async function writeOutputs(folder: string, study: Study, runs: readonly RunResult[]): Promise<void> {
  const summaries = summarise(study, runs);
  await writeWhole(resolve(folder, 'summary.csv'), summaryCsv(summaries));
  await writeWhole(resolve(folder, 'comparisons.csv'), comparisonsCsv(answers(study, runs)));
  await writeWhole(resolve(folder, 'ablation.svg'), plotStudy(study, summaries));
  const probes = await readProbes(resolve(folder, 'probes.csv'));
  if (probes.length > 0) await writeWhole(resolve(folder, 'probes.svg'), plotProbes(study, probes));
}

/** The results as Markdown, for the terminal and the README. */
export function resultTables(study: Study, runs: readonly RunResult[]): string {
  return `${summaryTable(study, summarise(study, runs))}\n\n${comparisonsTable(answers(study, runs))}`;
}
