import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { csvParse } from 'd3-dsv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rowsCsv } from '../files/csv.ts';
import { RunFileError } from '../files/RunFileError.ts';
import { runSlug } from '../files/slug.ts';
import { RunFile } from './RunFile.ts';
import { readRun } from './readRun.ts';
import { DEVICE, HEADER, row, runOf, untimed } from './testing/runs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const RUN = runOf(row(), untimed({ comparison: 'other', reason: 'two\nlines, "quoted"' }));

describe('RunFile', () => {
  it('has every line on the disk at once, and its name at the end', async () => {
    const place = join(folder, 'not/there/yet');
    const file = new RunFile(place);
    expect(file.unfinished).toBeUndefined();
    for (const [i, line] of RUN.entries()) {
      file.add(line);
      expect(await readRun(file.unfinished ?? '')).toEqual(RUN.slice(0, i + 1));
    }
    const { jsonl, csv } = file.finish(RUN);
    expect(await readRun(jsonl)).toEqual(RUN);
    expect(readdirSync(place).sort()).toEqual(['amd-epyc-9554-2-cores_wasm.csv', 'amd-epyc-9554-2-cores_wasm.jsonl']);
    expect(readFileSync(csv, 'utf8')).toBe(rowsCsv([row(), RUN[3] as ReturnType<typeof row>]));
  });

  it('replaces the files of an earlier run on that device', async () => {
    for (const run of [RUN, runOf(row())]) {
      const file = new RunFile(folder);
      for (const line of run) file.add(line);
      file.finish(run);
    }
    expect(readdirSync(folder)).toHaveLength(2);
    expect(await readRun(join(folder, 'amd-epyc-9554-2-cores_wasm.jsonl'))).toEqual(runOf(row()));
  });
});

describe('readRun', () => {
  it('says which file cannot be read', async () => {
    await expect(readRun(join(folder, 'none.jsonl'))).rejects.toThrow(RunFileError);
    await expect(readRun(join(folder, 'none.jsonl'))).rejects.toThrow(/none\.jsonl: cannot be read: ENOENT/);
    await expect(readRun(folder)).rejects.toThrow(/cannot be read: EISDIR/);
  });

  it('reads no more of a file than a run can have', async () => {
    const path = join(folder, 'large.jsonl');
    writeFileSync(path, Buffer.alloc(64 * 2 ** 20 + 1));
    await expect(readRun(path)).rejects.toThrow('expected at most 67108864 bytes, got more');
  });
});

describe('rowsCsv', () => {
  it('has a line for each row, with a column for every number and every parameter of any row', () => {
    const rows = [
      row(),
      untimed({ reason: 'two\nlines, "quoted"', parameters: { model: 'vit' } }),
      row({ quantities: { gzip: 12 } }),
    ];
    const [first, second, third] = csvParse(rowsCsv(rows));
    expect(first).toMatchObject({
      suite: 'operators',
      'parameter.tokens': '784',
      'parameter.model': '',
      timeRatio: '0.5',
      timeRatioLow: '0.49',
      wallMs: '2',
      wallMsQuartile3: '2.1',
      samples: '3',
      macs: '1000000',
      rooflinePercent: '10',
      'quantity.gzip': '',
    });
    expect(second).toMatchObject({
      reason: 'two\nlines, "quoted"',
      'parameter.model': 'vit',
      wallMs: '',
      timeRatio: '',
    });
    expect(third).toMatchObject({ 'quantity.gzip': '12' });
  });
});

describe('runSlug', () => {
  const named = (processor: string, devices: readonly Partial<typeof DEVICE>[], scale: 'quick' | 'full' = 'full') =>
    runSlug(
      { ...HEADER, scale, machine: { ...HEADER.machine, processor } },
      devices.map((device) => ({ ...DEVICE, ...device })),
    );

  it('names processors, adapters and backends, with letters for any file system', () => {
    expect(named('Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz', [{}], 'quick')).toBe(
      'intel-xeon-platinum-8481c-2-cores_wasm_quick',
    );
    expect(named('Apple M3', [{}, { backend: 'webgpu', description: 'NVIDIA H200 / ../etc' }])).toBe(
      'apple-m3-2-cores_wasm_webgpu-nvidia-h200-etc',
    );
    const options = { whole: false, suites: ['operators', 'tensor-ops'] };
    expect(runSlug({ ...HEADER, options }, [DEVICE])).toBe('amd-epyc-9554-2-cores_wasm_operators-tensor-ops');
    expect(runSlug({ ...HEADER, options: { ...options, only: ['a/b'] } }, [DEVICE])).toMatch(/_wasm_some$/);
    expect(named('///', [{ backend: 'webgl', description: 'x'.repeat(99) }])).toBe(
      `unknown-2-cores_webgl-${'x'.repeat(48)}`,
    );
  });
});
