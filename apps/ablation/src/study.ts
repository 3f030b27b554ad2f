import { resolve } from 'node:path';
import { appendProbes, type Probe } from './probes.ts';
import { keepRecipe, type RunPlan } from './recipeFile.ts';
import { ResultsFileError, readRuns, writeRuns } from './resultsFile.ts';
import { type RunResult, runSetting } from './runSetting.ts';
import { loadSamples } from './samples.ts';
import type { Setting } from './studies.ts';

/** What a study consists of. */
export interface StudyPlan extends RunPlan {
  readonly settings: readonly Setting[];
  /** seeds 0 ... seeds - 1 */
  readonly seeds: number;
}

/** How far a study is. */
export interface StudyProgress {
  readonly setting: Setting;
  readonly seed: number;
  /** steps of all runs of the plan, those of earlier processes included */
  readonly stepsDone: number;
  readonly steps: number;
  /** training loss of the last step */
  readonly loss: number;
}

/** Options of {@link runStudy}. */
export interface StudyOptions {
  /**
   * where `ablation.csv` takes each finished run, `probes.csv` what was looked at while it trained, and `recipe.json` says
   * how they were made; it must exist
   */
  readonly folder: string;
  /** folder of the files from which a task takes its samples, where it needs one */
  readonly data?: string;
  /** go on with a folder that holds runs already; default false, which refuses it */
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: StudyProgress) => void;
  readonly onRun?: (run: RunResult) => void;
}

/**
 * Runs every setting with every seed that the folder does not have yet; all settings of one seed come before the next seed,
 * so that a study that is cut short still compares like with like. An abort drops the run under way and keeps the others.
 *
 * @returns all runs of the plan
 * @throws the signal's reason when aborted; ResultsFileError if the folder has runs and `resume` is off, or runs that were
 *   made in another way
 */
export async function runStudy(plan: StudyPlan, options: StudyOptions): Promise<RunResult[]> {
  const { folder, data: directory, resume = false, signal, onProgress, onRun } = options;
  const file = resolve(folder, 'ablation.csv');
  const found = await readRuns(file);
  if (found.length > 0 && !resume) {
    throw new ResultsFileError(
      `${file} holds ${found.length} runs already: add --resume to go on with them, or choose another folder with --out.`,
    );
  }
  await keepRecipe(resolve(folder, 'recipe.json'), plan, found.length);
  const runs = [...found];
  const wanted = Array.from({ length: plan.seeds }, (_, seed) =>
    plan.settings.map((setting) => ({ setting, seed })),
  ).flat();
  const isDone = ({ setting, seed }: { setting: Setting; seed: number }) =>
    runs.some((run) => run.setting === setting.id && run.seed === seed);
  let finished = wanted.filter(isDone).length;
  const data = await loadSamples(plan.task, directory);
  for (const { setting, seed } of wanted.filter((one) => !isDone(one))) {
    signal?.throwIfAborted();
    const before = finished * plan.steps;
    const probes: Probe[] = [];
    const run = await runSetting(setting, {
      ...plan,
      seed,
      data,
      onProbe: (probe) => probes.push(probe),
      ...(signal && { signal }),
      onProgress: ({ step, loss }) =>
        onProgress?.({ setting, seed, stepsDone: before + step, steps: wanted.length * plan.steps, loss }),
    });
    finished++;
    runs.push(run);
    await appendProbes(resolve(folder, 'probes.csv'), probes);
    await writeRuns(file, runs);
    onRun?.(run);
  }
  return wanted.map(
    ({ setting, seed }) => runs.find((run) => run.setting === setting.id && run.seed === seed) as RunResult,
  );
}
