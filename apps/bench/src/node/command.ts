import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { abortOnInterrupt, textTable } from '@saccade/command-kit';
import { ConfigError, SaccadeError } from '@saccade/tensor-ops';
import type { Suite } from '../core/comparison.ts';
import { RunFileError } from '../files/RunFileError.ts';
import { listComparisons } from '../worker/listing.ts';
import { compareRuns, isRegression } from './compare.ts';
import { compareReport } from './compareReport.ts';
import { measureToFiles } from './measureToFiles.ts';
import { type BenchOptions, inShell, parseOptions, planOf } from './options.ts';
import { readRun } from './readRun.ts';
import { runSummary } from './summary.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** What a command measures, and with which module for its workers. */
export interface BenchSubject {
  readonly suites: readonly Suite[];
  readonly worker: URL;
}

/**
 * `pnpm bench`.
 *
 * @returns the exit code: 0; 1 for regressions and for mistakes; 2 for files of results that cannot be used; 130 after Ctrl-C
 */
export async function benchCommand(argv: readonly string[], subject: BenchSubject): Promise<number> {
  try {
    const options = parseOptions(argv);
    const { compare, report, list, page } = options;
    if (compare !== undefined) return await compareFiles(compare, options.threshold / 100);
    if (report !== undefined) return await reportFiles(report, options);
    if (list) return printList(options, subject);
    if (page) return await servePageUntilInterrupted(options);
    return await measure(options, subject);
  } catch (error) {
    // What is meant for the person at the terminal comes without a stack.
    const meant = error instanceof SaccadeError || error instanceof RunFileError;
    console.error(meant ? error.message : error);
    return error instanceof RunFileError ? 2 : 1;
  }
}

async function measure(options: BenchOptions, { suites, worker }: BenchSubject): Promise<number> {
  const plan = planOf(options, suites);
  if (comparisonNames(suites, plan).length === 0) {
    throw new ConfigError('--suite, --backend and --only', 'at least one comparison (--list has their names)', 'none');
  }
  const [folder, signal] = [folderOf(options), abortOnInterrupt()];
  const { lines, files, unfinished } = await measureToFiles(plan, { suites, worker, folder, signal });
  if (files === undefined) {
    const kept =
      unfinished === undefined ? 'Nothing had been measured.' : `What had been measured is kept: ${unfinished}`;
    console.error(`\nStopped. ${kept}`);
    return 130;
  }
  const { writeReport } = await import('../report/index.ts');
  await writeFile(files.html, writeReport([lines]));
  console.log(`\n${runSummary(lines)}\n\nResults: ${files.jsonl}\nTable:   ${files.csv}\nReport:  ${files.html}`);
  return 0;
}

async function compareFiles(paths: readonly string[], threshold: number): Promise<number> {
  const [before, after] = paths;
  if (before === undefined || after === undefined || paths.length > 2) {
    throw new ConfigError('--compare', 'two files of results', paths.join(' '));
  }
  const comparison = compareRuns(await readRun(inShell(before)), await readRun(inShell(after)), threshold);
  console.log(compareReport(comparison, threshold));
  return isRegression(comparison) ? 1 : 0;
}

async function reportFiles(paths: readonly string[], options: BenchOptions): Promise<number> {
  const runs = [];
  for (const path of paths) runs.push(await readRun(inShell(path)));
  const { writeReport } = await import('../report/index.ts');
  const folder = folderOf(options);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'report.html');
  await writeFile(file, writeReport(runs));
  console.log(`Report: ${file}`);
  return 0;
}

function printList(options: BenchOptions, { suites }: BenchSubject): number {
  const plan = planOf(options, suites);
  const cells = suites
    .filter(({ name }) => plan.suites.includes(name))
    .flatMap(({ name, title }) =>
      comparisonNames(suites, { ...plan, suites: [name] }).map((comparison, i) => [i === 0 ? title : '', comparison]),
    );
  console.log(
    textTable(['suite', `comparison (${plan.backends.join(', ')}; ${plan.scale})`], cells, { align: ['left', 'left'] }),
  );
  return 0;
}

/** Names of all comparisons on any of the backends, each once. */
function comparisonNames(suites: readonly Suite[], plan: ReturnType<typeof planOf>): string[] {
  const { home, scale, backends } = plan;
  const all = backends.flatMap((backend) =>
    listComparisons(suites, { home, scale, backend, softwareGpu: false }, plan),
  );
  return [...new Set(all.map(({ suite, id }) => `${suite}/${id}`))];
}

async function servePageUntilInterrupted({ port }: BenchOptions): Promise<number> {
  const signal = abortOnInterrupt();
  const { servePage } = await import('../page/serve.node.ts');
  const { url, close } = await servePage(port === undefined ? {} : { port });
  console.log(`The bench for browsers: ${url}\nCtrl-C ends it.`);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await close();
  return 0;
}

function folderOf({ out, save }: BenchOptions): string {
  if (out !== undefined) return inShell(out);
  return resolve(ROOT, save ? 'apps/bench/results' : 'reports/bench');
}
