import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MEASURE } from '../core/measure.ts';
import type { Row } from '../core/row.ts';
import type { RunLine } from '../core/run.ts';
import { benchCommand } from './command.ts';
import { parseOptions, planOf } from './options.ts';
import { readRun } from './readRun.ts';
import { baselineRow, ratio, row, runOf } from './testing/runs.ts';
import { mortalSuite, tinySuite } from './testing/tinySuite.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-command-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The command as a process, with suites of tests. */
function bench(...words: readonly string[]): ChildProcess {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const script = fileURLToPath(new URL('./testing/tinyMain.ts', import.meta.url));
  const switches = ['--import', tsx, '--conditions=@saccade/source'];
  return spawn(process.execPath, [...switches, script, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, INIT_CWD: folder },
  });
}

async function outcome(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout as never), text(child.stderr as never)]);
  return { code: await exit, out, err };
}

const rowsOf = (lines: readonly RunLine[]) => lines.filter((line): line is Row => line.kind === 'row');

/** What the command says in this process, where nothing is measured. */
async function said(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  vi.stubEnv('INIT_CWD', folder);
  const [out, err] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
  const printed = ({ mock: { calls } }: typeof out) => calls.flat().join('\n');
  for (const spy of [out, err]) spy.mockImplementation(() => undefined);
  try {
    const code = await benchCommand(words, { suites: [tinySuite, mortalSuite], worker: new URL('file:///none') });
    return { code, out: printed(out), err: printed(err) };
  } finally {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  }
}

function write(name: string, lines: readonly RunLine[]): string {
  writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return name;
}

describe('pnpm bench', () => {
  it('measures in another process, and writes lines, a table and a report', async () => {
    const { code, out, err } = await outcome(bench('--quick', '--suite', 'tiny', '--no-peers', '--out', 'whole'));
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/bench 100%/) });
    const files = readdirSync(join(folder, 'whole')).sort();
    expect(files).toEqual([
      expect.stringMatching(/_wasm_quick_tiny\.csv$/),
      expect.stringMatching(/_wasm_quick_tiny\.html$/),
      expect.stringMatching(/_wasm_quick_tiny\.jsonl$/),
    ]);
    for (const file of files) expect(out).toContain(file);
    const lines = await readRun(join(folder, 'whole', files[2] as string));
    expect(lines[0]).toMatchObject({ kind: 'run', scale: 'quick', versions: { node: process.versions.node } });
    expect(lines[1]).toMatchObject({
      kind: 'device',
      backend: 'wasm',
      roofline: { flopsPerSecond: expect.any(Number) },
    });
    expect(lines.filter(({ kind }) => kind === 'slope').length).toBeGreaterThan(0);
    const sums = rowsOf(lines).filter(({ contender }) => contender === 'sum');
    expect(sums.map(({ status }) => status)).toEqual(Array(4).fill('measured'));
    expect(sums[0]?.samplesMs?.length).toBeGreaterThanOrEqual(20);
    expect(sums[0]).toMatchObject({ baseline: 'product', timeRatio: { value: expect.any(Number) } });
    expect(out).toMatch(/sum\/n784 +sum +[\d.]+ \([\d.]+ to [\d.]+\)/);
    // Never bare times.
    expect(out).not.toMatch(/\d ms/);
    const wrong = rowsOf(lines).find(({ status }) => status === 'wrong');
    expect(wrong).toMatchObject({ comparison: 'wrong', contender: 'product', check: { error: 0.5 } });
    expect(wrong?.wallMs).toBeUndefined();
  });

  it('survives a comparison that kills its process, and keeps what it has when it is interrupted', async () => {
    const child = bench('--quick', '--suite', 'mortal', '--backend', 'cpu', '--no-peers', '--out', 'stopped');
    const ended = outcome(child);
    const unfinished = () => {
      const place = join(folder, 'stopped');
      return existsSync(place) ? join(place, readdirSync(place)[0] as string) : undefined;
    };
    await expect
      .poll(() => readFileSync(unfinished() ?? '/dev/null', 'utf8'), { timeout: 50_000 })
      .toContain('"second"');
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect({ code, out }).toEqual({ code: 130, out: '' });
    expect(err).toContain(`What had been measured is kept: ${unfinished()}`);
    const rows = rowsOf(await readRun(unfinished() as string)).filter(({ status }) => status !== 'absent');
    expect([...new Set(rows.map(({ comparison }) => comparison))]).toEqual(['first', 'death', 'second']);
    expect(rows.find(({ comparison }) => comparison === 'death')).toMatchObject({
      status: 'failed',
      reason: 'the worker ended: exit code 7; it printed last: the last words of a kernel',
    });
  });

  it('compares two files by their ratios: 0 without regressions, 1 with, 2 for what is no run', async () => {
    const before = write('before.jsonl', runOf(row(), baselineRow()));
    const after = write('after.jsonl', runOf(row({ timeRatio: ratio(0.6) }), baselineRow()));
    writeFileSync(join(folder, 'other.jsonl'), '{"kind":"row"}\n');
    const compare = (...words: readonly string[]) => said('--compare', ...words);
    expect(await compare(before, before)).toMatchObject({ code: 0, out: expect.stringContaining('No regressions') });
    expect(await compare(before, after)).toMatchObject({ code: 1, out: expect.stringMatching(/Worse:.*REGRESSIONS/s) });
    expect(await compare(after, before)).toMatchObject({ code: 0, out: expect.stringContaining('Better:') });
    expect(await compare(before, after, '--threshold', '25')).toMatchObject({ code: 0 });
    expect(await compare(before, 'other.jsonl')).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(/other\.jsonl, line 1, suite: expected/),
    });
    expect(await compare(before)).toMatchObject({ code: 1, err: expect.stringContaining('two files of results') });
  });

  it('lists what there is, reports on files, and refuses what there is not', async () => {
    const list = await said('--list', '--suite', 'tiny');
    expect(list.out).toMatch(/Tiny things +tiny\/sum\/n784\n/);
    expect(list.out).not.toContain('mortal');
    const run = write('one.jsonl', runOf(row(), baselineRow()));
    const page = join(folder, 'reports/report.html');
    expect(await said('--report', run, '--out', 'reports')).toEqual({ code: 0, out: `Report: ${page}`, err: '' });
    expect(readFileSync(page, 'utf8')).toContain('<html');
    const huge = await said('--suite', 'huge');
    expect(huge).toMatchObject({ code: 1, err: expect.stringMatching(/--suite.*tiny,mortal.*huge/s) });
    const nothing = await said('--only', 'nothing-like-this');
    expect(nothing).toMatchObject({ code: 1, err: expect.stringContaining('--list has their names') });
  });
});

describe('planOf', () => {
  const plan = (...words: readonly string[]) => planOf(parseOptions(words), [tinySuite, mortalSuite]);

  it('is what the options say, and the usual where they say nothing', () => {
    expect(plan()).toEqual({
      ...{ home: 'node', scale: 'full', backends: ['wasm', 'webgpu'], suites: ['tiny', 'mortal'], peers: true },
      measure: MEASURE.full,
    });
    expect(plan('--quick')).toMatchObject({ scale: 'quick', backends: ['wasm'], measure: MEASURE.quick });
    const words = ['--backend', 'cpu,wasm', '--only', 'a', 'b', '--no-peers', '--budget', '2.5', '--samples', '200'];
    expect(plan(...words)).toMatchObject({
      ...{ backends: ['wasm', 'cpu'], only: ['a', 'b'], peers: false },
      measure: { budgetMs: 2500, samples: 200, mostSamples: 200 },
    });
  });

  it.each([
    ['--samples', '19'],
    ['--budget', '0'],
    ['--threshold', 'much'],
  ])('refuses %s %s', (...words) => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
      throw new Error('left');
    });
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(() => plan(...words)).toThrow('left');
    expect(write).toHaveBeenCalledWith(expect.stringMatching(/is needed/));
    expect(exit).toHaveBeenCalledWith(1);
    vi.restoreAllMocks();
  });
});
