import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { product } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { FITTED_FROM, GRIDS, LAYER, SOFTMAX_LIMIT, type What, workOf } from './scalingWork.ts';

// How time and memory of LiSA and of softmax attention grow with the number of tokens, on wasm, in one run:
// `pnpm --filter @saccade/lisa run measure`. Results are compared before anything is timed; the two take turns, so that what
// else the machine does meets both; medians; with --save they go to results/. Wall time is what a user waits, processor time
// what a busy machine disturbs least. Peaks are those of processes of their own.

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, save: { type: 'boolean', default: false } },
});
const ROUNDS = Number(options.rounds);
const TOLERANCE = 1e-5;

await setupBackend('wasm');

interface Times {
  readonly cpu: number;
  readonly wall: number;
}

interface Row {
  readonly operator: What;
  readonly grid: string;
  readonly tokens: number;
  readonly cpu: number;
  readonly wall: number;
  readonly runs: readonly Times[];
  readonly peakBytes: number;
}

const rows: Row[] = [];
for (const grid of GRIDS) {
  const tokens = product(grid);
  const names: What[] = tokens <= SOFTMAX_LIMIT ? ['lisa', 'softmax'] : ['lisa'];
  const works = names.map((operator) => ({ operator, work: workOf(operator, grid), runs: [] as Times[] }));
  const error = await (works[0] as (typeof works)[number]).work.error();
  if (!(error <= TOLERANCE)) throw new Error(`${grid.join('x')}: LiSA is off by ${error}; nothing is measured`);
  // The first round compiles, and grows the memory.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { work, runs } of works) {
      const times = await timed(work.run);
      if (round > 0) runs.push(times);
    }
  }
  for (const { operator, work, runs } of works) {
    work.dispose();
    const name = grid.join('x');
    const [cpu, wall] = [median(runs.map((run) => run.cpu)), median(runs.map((run) => run.wall))];
    rows.push({ operator, grid: name, tokens, cpu, wall, runs, peakBytes: await peakOf(operator, name) });
    const peak = `${((rows.at(-1) as Row).peakBytes / 2 ** 20).toFixed(1)} MiB beside its inputs`;
    console.log(`${name} ${operator}: ${cpu} ms of processor, ${wall} ms of wall time, ${peak}`);
  }
}

const step = await peakOf('training', '56x56');
const summary: [quantity: string, operator: string, value: number][] = [
  ...(['lisa', 'softmax'] as const).flatMap((operator): [string, string, number][] => [
    ['slope of processor time', operator, slope(operator, ({ cpu }) => cpu)],
    ['slope of wall time', operator, slope(operator, ({ wall }) => wall)],
    ['slope of peak memory', operator, slope(operator, ({ peakBytes }) => peakBytes)],
  ]),
  ['tokens from which it takes less processor time than softmax attention', 'lisa', breakEven(({ cpu }) => cpu)],
  ['peak bytes of a training step on 56x56, beside its weights', 'lisa', step],
];
for (const [quantity, operator, value] of summary) console.log(`${operator}: ${quantity} ${value}`);

if (options.save) {
  const folder = fileURLToPath(new URL('../../results/', import.meta.url));
  await mkdir(folder, { recursive: true });
  const { dim, heads } = LAYER;
  const lines = rows.map(({ operator, grid, tokens, cpu, wall, runs, peakBytes }) => {
    const all = (of: (run: Times) => number) => runs.map(of).join(' ');
    return [operator, dim, heads, grid, tokens, cpu, wall, all((r) => r.cpu), all((r) => r.wall), peakBytes].join(',');
  });
  const head = 'operator,dim,heads,grid,tokens,median_cpu_ms,median_wall_ms,cpu_ms,wall_ms,peak_bytes';
  await writeFile(`${folder}scaling.csv`, `${[head, ...lines].join('\n')}\n`);
  const facts = summary.map(([quantity, operator, value]) => `${operator},"${quantity}",${value}`);
  await writeFile(`${folder}scaling-summary.csv`, `${['operator,quantity,value', ...facts].join('\n')}\n`);
}

async function timed(run: ReturnType<typeof workOf>['run']): Promise<Times> {
  const [start, used] = [performance.now(), process.cpuUsage()];
  const result = run();
  await result.data();
  const [wall, { user, system }] = [performance.now() - start, process.cpuUsage(used)];
  result.dispose();
  return { cpu: rounded((user + system) / 1000), wall: rounded(wall) };
}

async function peakOf(what: What, grid: string): Promise<number> {
  const script = fileURLToPath(new URL('probeMemory.ts', import.meta.url));
  const flags = ['--expose-gc', '--import', 'tsx', '--conditions=@saccade/source'];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, what, grid]);
  return (JSON.parse(stdout.trim().split('\n').at(-1) as string) as { peakBytes: number }).peakBytes;
}

/** The slope of the straight line nearest to log(value) over log(N). */
function slope(operator: What, value: (row: Row) => number): number {
  const points = rows
    .filter((row) => row.operator === operator && row.tokens >= FITTED_FROM)
    .map((row): [number, number] => [Math.log(row.tokens), Math.log(value(row))]);
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return rounded(covariance / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0), 3);
}

/** The first of the measured grids from which on LiSA stays below softmax attention; infinite if there is none. */
function breakEven(value: (row: Row) => number): number {
  const compared = rows.filter(({ operator }) => operator === 'softmax');
  const slower = compared.map((row) => {
    const lisa = rows.find(({ operator, tokens }) => operator === 'lisa' && tokens === row.tokens) as Row;
    return value(lisa) >= value(row);
  });
  return compared[slower.lastIndexOf(true) + 1]?.tokens ?? Number.POSITIVE_INFINITY;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}
