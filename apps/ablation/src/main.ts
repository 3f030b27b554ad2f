// `pnpm ablation`: trains every setting of a study with several seeds on motion and says what the differences are worth.
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  abortOnInterrupt,
  type ConsoleProgress,
  consoleProgress,
  formatNumber,
  formatPercent,
  Interrupted,
  integerAtLeast,
} from '@saccade/command-kit';
import { DatasetError } from '@saccade/datasets';
import { ConfigError, SaccadeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { Command, Option } from 'commander';
import { STUDIES } from './allStudies.ts';
import { resultTables, writeOutputs } from './outputs.ts';
import { DEFAULT_SEEDS, defaultsOf } from './recipe.ts';
import { ResultsFileError } from './resultsFile.ts';
import type { Setting, Study } from './studies.ts';
import { runStudy, type StudyOptions } from './study.ts';
import { STUDY_TASKS, type StudyTask } from './tasks.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface AblationOptions {
  readonly study: string;
  readonly seeds: number;
  readonly steps?: number;
  readonly configs?: readonly string[];
  readonly task?: StudyTask;
  readonly samples?: number;
  readonly data?: string;
  readonly out?: string;
  readonly resume: boolean;
}

const EXAMPLE = 'sa,d1,d4';

const program = new Command('ablation')
  .description('Trains pico video networks that differ in one thing, and compares them.')
  .addOption(new Option('--study <name>', 'what is compared').choices(STUDIES.map(({ id }) => id)).default('structsa'))
  .option('--seeds <n>', 'seeds 0 to n-1 of each setting', integerAtLeast(1), DEFAULT_SEEDS)
  .option('--steps <n>', 'training steps of each run; default 1000', integerAtLeast(1))
  .option('--configs <ids>', `some of its settings, such as ${EXAMPLE}`, idsOf)
  .addOption(new Option('--task <name>', "what is learned; default the study's own").choices(STUDY_TASKS))
  .option(
    '--samples <n>',
    'held-out samples on which each run is measured; default 1600 clips or 10000 pictures',
    integerAtLeast(16),
  )
  .option('--data <folder>', 'the files of Fashion-MNIST, for the task fashion')
  .option('--out <folder>', 'where to write the results; default reports/ablation/<study>')
  .option('--resume', 'go on with the runs in that folder', false);

async function ablation(options: AblationOptions, signal: AbortSignal): Promise<void> {
  const { study: id, configs, out, resume, data, seeds } = options;
  const study = STUDIES.find((one) => one.id === id) as Study;
  const task = taskOf(study, options.task);
  const plan = {
    ...defaultsOf(task),
    ...(options.steps && { steps: options.steps }),
    ...(options.samples && { samples: options.samples }),
    task,
    seeds,
    settings: settingsOf(study, configs),
  };
  const inShell = (path: string) => resolve(process.env.INIT_CWD ?? '.', path);
  const folder = out ? inShell(out) : resolve(ROOT, 'reports/ablation', id);
  await mkdir(folder, { recursive: true });
  await setupBackend('wasm');
  const runs = await withProgress((listeners) =>
    runStudy(
      { ...plan, network: study.network },
      { folder, resume, signal, ...(data && { data: inShell(data) }), ...listeners },
    ),
  );
  await writeOutputs(folder, study, runs);
  console.log(`\n${resultTables(study, runs)}\n\nResults: ${folder}`);
}

/** One bar over the steps of all runs; it begins where this process does, so that the time left is not flattered. */
async function withProgress<T>(
  work: (listeners: Pick<StudyOptions, 'onProgress' | 'onRun'>) => Promise<T>,
): Promise<T> {
  let bar: ConsoleProgress | undefined;
  let last = '';
  try {
    return await work({
      onProgress: ({ setting, seed, stepsDone, steps, loss }) => {
        bar ??= consoleProgress({ title: 'ablation', total: steps, start: stepsDone - 1, lineInterval: 60_000 });
        bar.update(stepsDone, {
          setting: setting.id,
          seed: String(seed),
          loss: formatNumber(loss),
          ...(last && { last }),
        });
      },
      onRun: ({ setting, seed, correct, samples }) => {
        last = `${setting} ${seed}: ${formatPercent(correct / samples)}`;
      },
    });
  } finally {
    bar?.stop();
  }
}

function idsOf(text: string): string[] {
  return text.split(',').map((id) => id.trim());
}

/** The settings of these ids, each once, in the order of the study; all without ids. */
function settingsOf({ id: name, settings }: Study, ids: readonly string[] | undefined): readonly Setting[] {
  if (!ids) return settings;
  const known = settings.map(({ id }) => id);
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new ConfigError('--configs', `some of ${known.join(',')} (${name})`, unknown);
  return settings.filter(({ id }) => ids.includes(id));
}

/** The task of a run: the study's usual one unless another was asked for. */
function taskOf({ id, tasks }: Study, task: StudyTask = tasks[0]): StudyTask {
  if (!tasks.includes(task)) throw new ConfigError('--task', `one of ${tasks.join(', ')} (${id})`, task);
  return task;
}

function report(error: unknown): number {
  if (error instanceof Interrupted) {
    console.error('\nStopped. Finished runs are kept; the same command with --resume goes on.');
    return 130;
  }
  // What is meant for the person at the terminal comes without a stack.
  const meant = error instanceof SaccadeError || error instanceof DatasetError || error instanceof ResultsFileError;
  console.error(meant ? (error as Error).message : error);
  return 1;
}

try {
  await ablation(program.parse().opts<AblationOptions>(), abortOnInterrupt());
} catch (error) {
  process.exitCode = report(error);
}
