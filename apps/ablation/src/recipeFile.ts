import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { batchSizeOf, RECIPE } from './recipe.ts';
import { ResultsFileError } from './resultsFile.ts';
import type { StudyTask } from './tasks.ts';
import { writeWhole } from './writeWhole.ts';

/** What runs must have in common to be compared, beside {@link RECIPE}. */
export interface RunPlan {
  /** what the networks have in common */
  readonly network: object;
  readonly task: StudyTask;
  /** training steps of a run */
  readonly steps: number;
  /** held-out samples on which each run is measured */
  readonly samples: number;
}

/**
 * Says beside the runs how they were made, and on what machine; a file that is there already must say the same of
 * everything but the machine.
 *
 * @param path of `recipe.json`
 * @param runs how many runs are there already
 * @throws ResultsFileError where the recipes differ, or where there are runs without one
 */
export async function keepRecipe(path: string, plan: RunPlan, runs: number): Promise<void> {
  const recipe = recipeOf(plan);
  const found = await readRecipe(path);
  if (found === undefined) {
    if (runs > 0) throw new ResultsFileError(`${path} is missing: nothing says how the ${runs} runs there were made.`);
    const machine = `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, wasm`;
    await writeWhole(path, `${JSON.stringify({ ...recipe, machine }, null, 2)}\n`);
    return;
  }
  const other = Object.entries(recipe).find(([key, value]) => !isDeepStrictEqual(found[key], value));
  if (other) {
    const [key, value] = other;
    throw new ResultsFileError(
      `${path}: the runs there were made with ${key} ${JSON.stringify(found[key])}, ` +
        `these would be with ${JSON.stringify(value)}. Choose another folder with --out.`,
    );
  }
}

function recipeOf({ task, steps, samples, network }: RunPlan): Readonly<Record<string, unknown>> {
  return { task, steps, samples, batchSize: batchSizeOf(task), ...RECIPE, network };
}

async function readRecipe(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new ResultsFileError(`${path}: expected JSON. Choose another folder with --out.`);
  }
}
