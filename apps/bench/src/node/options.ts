import { resolve } from 'node:path';
import { integerAtLeast } from '@saccade/command-kit';
import { ConfigError } from '@saccade/tensor-ops';
import { Command, InvalidArgumentError } from 'commander';
import type { BenchBackend, Suite } from '../core/comparison.ts';
import { MEASURE } from '../core/measure.ts';
import type { RunPlan } from '../worker/plan.ts';

/** Backends that Node has. */
const BACKENDS: readonly BenchBackend[] = ['wasm', 'webgpu', 'cpu'];

/** Backends of a run, unless some are asked for. */
const USUAL: Readonly<Record<RunPlan['scale'], readonly BenchBackend[]>> = {
  quick: ['wasm'],
  // Where there is no GPU, a driver on the processor shows that the programs are right; its times are kept apart.
  full: ['wasm', 'webgpu'],
};

/** What the command line says. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly suite?: readonly string[];
  readonly backend?: readonly string[];
  readonly only?: readonly string[];
  readonly peers: boolean;
  readonly budget?: number;
  readonly samples?: number;
  readonly out?: string;
  readonly save: boolean;
  readonly report?: readonly string[];
  readonly compare?: readonly string[];
  readonly threshold: number;
  readonly list: boolean;
  readonly page: boolean;
  readonly port?: number;
}

/** @throws what commander throws when it is told not to leave the process */
export function parseOptions(argv: readonly string[]): BenchOptions {
  return benchProgram()
    .parse([...argv], { from: 'user' })
    .opts<BenchOptions>();
}

function benchProgram(): Command {
  return new Command('bench')
    .description('Measures Saccade against other implementations of the same work, and says what it takes by ratios.')
    .option('--quick', 'small sizes, short measurements, wasm only: minutes instead of hours', false)
    .option('--suite <names>', 'some of the suites, such as operators,backbones', namesOf)
    .option(
      '--backend <names>',
      `some of ${BACKENDS.join(',')}; default ${USUAL.full.join(',')}, quick ${USUAL.quick}`,
      namesOf,
    )
    .option('--only <texts...>', 'comparisons whose name contains one of these; --list has the names')
    .option('--no-peers', 'without other libraries')
    .option('--budget <seconds>', 'time that one contender may take for its samples; default 60, quick 3', positive)
    .option('--samples <n>', 'least number of samples of each contender; default 20', integerAtLeast(20))
    .option('--out <folder>', 'where to write the results; default reports/bench')
    .option('--save', 'write the results to apps/bench/results, to be committed', false)
    .option('--report <files...>', 'measure nothing: write one HTML report of these results')
    .option(
      '--compare <files...>',
      'measure nothing: what has become worse or better from the first file to the second',
    )
    .option('--threshold <percent>', 'with --compare: smallest change of a ratio that counts', positive, 15)
    .option('--list', 'measure nothing: names of suites and comparisons', false)
    .option('--page', 'measure nothing here: serve the page that measures in a browser', false)
    .option('--port <n>', 'with --page; default any that is free', integerAtLeast(1));
}

/**
 * What is to be run.
 *
 * @throws ConfigError for names that there are not
 */
export function planOf(options: BenchOptions, suites: readonly Suite[]): RunPlan {
  const { quick, samples, budget, only, peers } = options;
  const scale = quick ? 'quick' : 'full';
  const usual = MEASURE[scale];
  return {
    home: 'node',
    scale,
    backends: some('--backend', options.backend, BACKENDS, USUAL[scale]),
    suites: some('--suite', options.suite, namesIn(suites)),
    ...(only && { only }),
    peers,
    measure: {
      ...usual,
      ...(samples !== undefined && { samples, mostSamples: Math.max(samples, usual.mostSamples) }),
      ...(budget !== undefined && { budgetMs: 1000 * budget }),
    },
  };
}

/** A path as the shell means it: pnpm starts this program in its own folder. */
export function inShell(path: string): string {
  return resolve(process.env.INIT_CWD ?? '.', path);
}

function namesIn(suites: readonly Suite[]): readonly string[] {
  return suites.filter(({ homes }) => homes.includes('node')).map(({ name }) => name);
}

/** Those that were asked for, in their usual order. */
function some<T extends string>(
  option: string,
  asked: readonly string[] | undefined,
  known: readonly T[],
  usual: readonly T[] = known,
): readonly T[] {
  if (asked === undefined) return usual;
  const unknown = asked.find((name) => !known.includes(name as T));
  if (unknown !== undefined) throw new ConfigError(option, `some of ${known.join(',')}`, unknown);
  return known.filter((name) => asked.includes(name));
}

function namesOf(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value)) {
    throw new InvalidArgumentError('a number above 0 is needed.');
  }
  return value;
}
