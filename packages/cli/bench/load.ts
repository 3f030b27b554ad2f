import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createModel, toTsmKeys } from '@saccade/backbones';
import { setupBackend } from '@saccade/tensor-ops/node';
import { applyKeyMap, type StateTensor, serializeTorch } from '@saccade/weights';
import { markdownTable } from 'markdown-table';
import type { LargeMeasurement, LoadMeasurement } from './measurement.ts';

// How long files of weights take to load, and how much memory, beside PyTorch on the same files in the same run:
//
//   pnpm --filter @saccade/cli run bench
//
// Each measurement is a process of its own, since the peak of memory belongs to a process; the programs take turns. PyTorch
// is measured where a Python has it (SACCADE_PYTHON names one), and writes the files then.

const ROUNDS = 5;
const FOLDER = await mkdtemp(join(tmpdir(), 'saccade-bench-'));
const NODE = ['--import', 'tsx', '--conditions=@saccade/source'];
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

try {
  const python = findPython();
  console.log(`Node ${process.version}, ${cpus()[0]?.model}, ${availableParallelism()} cores`);
  console.log(
    python === undefined ? 'No Python with PyTorch: its rows are missing.\n' : `PyTorch ${torchVersion(python)}\n`,
  );
  const rows = [];
  for (const model of ['uniformer_s', 'tsm_resnet50']) rows.push(...(await measureModel(model, python)));
  const heading = ['file', 'program', 'time', 'fastest, slowest', 'peak memory', 'of that, before loading'];
  console.log(`${markdownTable([heading, ...rows])}\n`);
  console.log(await measureLarge());
} finally {
  await rm(FOLDER, { recursive: true });
}

/** A .pth of a model with random weights, loaded by both programs. */
async function measureModel(name: string, python: string | undefined): Promise<string[][]> {
  const path = join(FOLDER, `${name}.pth`);
  await writeModel(name, path);
  if (python !== undefined) execFileSync(python, [here('load.py'), 'rewrite', path]);
  const ours: LoadMeasurement[] = [];
  const theirs: LoadMeasurement[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(run<LoadMeasurement>(process.execPath, [...NODE, here('child.ts'), 'load', path, name]));
    if (python !== undefined) theirs.push(run<LoadMeasurement>(python, [here('load.py'), 'load', path]));
  }
  const [one, other] = [ours[0] as LoadMeasurement, theirs[0]];
  if (other !== undefined && !(Math.abs(one.checksum - other.checksum) <= 1e-9 * Math.abs(other.checksum))) {
    throw new Error(`${name}: the programs loaded different weights, ${one.checksum} and ${other.checksum}`);
  }
  const file = `${name}, ${(one.fileBytes / 2 ** 20).toFixed(1)} MiB`;
  return [
    row(file, 'Saccade, wasm', ours),
    ...(theirs.length === 0 ? [] : [row(file, 'PyTorch, torch.load(weights_only=True) + load_state_dict', theirs)]),
  ];
}

async function writeModel(name: string, path: string): Promise<void> {
  await setupBackend('wasm');
  using model = createModel<string>(name, { seed: 1 });
  const state = (await model.stateDict()) as Map<string, StateTensor>;
  // The names of MIT's files, so that renaming is part of the work.
  const named = 'baseModel' in model ? applyKeyMap(toTsmKeys(model.config), state).state : state;
  await writeFile(path, serializeTorch(named));
}

function row(file: string, program: string, measured: readonly LoadMeasurement[]): string[] {
  const times = measured.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const mebibytes = (bytes: readonly number[]) => `${(median(bytes) / 2 ** 20).toFixed(0)} MiB`;
  return [
    file,
    program,
    `${median(times).toFixed(0)} ms`,
    `${times[0]?.toFixed(0)}, ${times.at(-1)?.toFixed(0)} ms`,
    mebibytes(measured.map(({ peakBytes }) => peakBytes)),
    mebibytes(measured.map(({ bytesBefore }) => bytesBefore)),
  ];
}

/** A safetensors file of 1 GiB, sparse on disk, of which one tensor is read. */
async function measureLarge(): Promise<string> {
  const path = join(FOLDER, 'large.safetensors');
  await writeLarge(path);
  const measured = Array.from({ length: ROUNDS }, () =>
    run<LargeMeasurement>(process.execPath, [...NODE, here('child.ts'), 'large', path]),
  );
  const of = (key: keyof LargeMeasurement) => median(measured.map((measurement) => measurement[key]));
  return (
    `A safetensors file of 1 GiB, 1,024 tensors: opened in ${of('openMilliseconds').toFixed(1)} ms (${of('openBytes')} bytes read), ` +
    `opened again in ${of('openAgainMilliseconds').toFixed(1)} ms, one tensor of 1 MiB read in ${of('readMilliseconds').toFixed(1)} ms ` +
    `(${of('readBytes')} bytes read).`
  );
}

async function writeLarge(path: string): Promise<void> {
  const bytes = 2 ** 20;
  const tensors = Array.from({ length: 1024 }, (_, i) => [
    `blocks.${i}.weight`,
    { dtype: 'F32', shape: [512, 512], data_offsets: [i * bytes, (i + 1) * bytes] },
  ]);
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(tensors)));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.byteLength), true);
  await using file = await open(path, 'w');
  await file.write(length);
  await file.write(header);
  await file.truncate(8 + header.byteLength + 1024 * bytes);
}

function run<T>(program: string, args: readonly string[]): T {
  return JSON.parse(execFileSync(program, args, { encoding: 'utf8' })) as T;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function findPython(): string | undefined {
  return [process.env.SACCADE_PYTHON, 'python3', '/usr/bin/python3'].find((python) => {
    try {
      return python !== undefined && torchVersion(python) !== '';
    } catch {
      return false;
    }
  });
}

function torchVersion(python: string): string {
  const script = 'import torch; print(torch.__version__)';
  return execFileSync(python, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
