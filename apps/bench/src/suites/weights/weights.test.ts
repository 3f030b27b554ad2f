import { readFile, writeFile } from 'node:fs/promises';
import { createModel } from '@saccade/backbones';
import { openWeights } from '@saccade/weights';
import { describe, expect, it } from 'vitest';
import type { Comparison, Contender, OwnTiming } from '../../core/comparison.ts';
import { measured, withBench } from '../../external/testing/measured.ts';
import { workFolder } from '../../external/workFolder.node.ts';
import { findTorchPython } from '../../peers/torchPython.node.ts';
import { fileContender, formatsComparison } from './formats.node.ts';
import { freshComparison } from './fresh.node.ts';
import { weightsSuite } from './index.ts';
import { largeComparisons } from './large.node.ts';
import { ALL_FORMATS, writeModelFiles } from './modelFiles.node.ts';
import { npzFile, onnxFile } from './otherFormats.ts';
import { parseComparison } from './parse.node.ts';

const MODEL = 'uniformer_pico_video';
const NO_PYTHON = ['/no/such/python'];
const OURS = ['Saccade, .pth', 'Saccade, safetensors', 'Saccade, .npz', 'Saccade, ONNX'];
const torch = await findTorchPython().catch(() => undefined);

const bench = withBench();

describe('files of the other formats', () => {
  const state = new Map([
    [
      'a.weight',
      { dtype: 'float32' as const, shape: [2, 150], data: Float32Array.from({ length: 300 }, (_, i) => i / 7) },
    ],
    ['a.count', { dtype: 'int64' as const, shape: [], data: BigInt64Array.of(-5n) }],
  ]);

  it.each([
    ['npz', npzFile],
    ['onnx', onnxFile],
  ] as const)('%s: read as they were written', async (format, write) => {
    const file = await openWeights(write(state));
    expect(file.format).toBe(format);
    expect(await file.toStateDict()).toEqual(state);
  });

  it('refuse other types', () => {
    const halves = new Map([['h', { dtype: 'float16' as const, shape: [1], data: Float32Array.of(1) }]]);
    expect(() => npzFile(halves)).toThrow(/h is of float16; only float32 and int64/);
  });
});

describe('weights', () => {
  it('lists comparisons of unique names for both scales', () => {
    for (const scale of ['quick', 'full'] as const) {
      const place = { home: 'node', backend: 'wasm', softwareGpu: false, scale } as const;
      const ids = weightsSuite.comparisons(place).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('loads every format into a model, PyTorch absent', async () => {
    const rows = await measured(formatsComparison(MODEL, ALL_FORMATS, NO_PYTHON), bench());
    expect([...rows.keys()].sort()).toEqual([...OURS, 'PyTorch'].sort());
    for (const name of OURS) {
      expect(rows.get(name)).toMatchObject({ status: 'measured', check: { error: 0 }, baseline: 'Saccade, .pth' });
    }
    expect(rows.get('PyTorch')).toMatchObject({ status: 'absent', reason: expect.stringContaining('/no/such/python') });
  });

  it('sees one wrong number in a file', async () => {
    const folder = await workFolder();
    const files = await writeModelFiles(folder, MODEL, ['.pth', 'safetensors']);
    using model = createModel(MODEL, { seed: 2 });
    const bytes = await readFile(files.paths.safetensors);
    bytes.writeFloatLE(7, bytes.length - 4);
    await writeFile(files.paths.safetensors, bytes);
    const check = (format: '.pth' | 'safetensors') => fileContender(model, files, format, bench().settle).check();
    expect((await check('.pth')).error).toBe(0);
    expect((await check('safetensors')).error).toBeGreaterThan(0.01);
    await folder.remove();
  });

  it('parses every format', async () => {
    const rows = await measured(parseComparison(MODEL, ALL_FORMATS, NO_PYTHON), bench());
    for (const name of OURS) expect(rows.get(name)).toMatchObject({ status: 'measured', check: { error: 0 } });
  });

  it('loads in processes of their own', async () => {
    const { contenders, baseline, absent = [], dispose } = await freshComparison(MODEL, NO_PYTHON).prepare(bench());
    const [own] = contenders as [Contender];
    expect([contenders.length, baseline, absent.map(({ name }) => name)]).toEqual([1, 'Saccade', ['PyTorch']]);
    const { error, tolerance } = await own.check();
    expect(error).toBeLessThanOrEqual(tolerance);
    const { wallMs, peakBytes, quantities = {} } = (await own.run()) as OwnTiming;
    expect(wallMs).toBeGreaterThan(0);
    expect(quantities.processBytesBefore).toBeGreaterThan(10 * 2 ** 20);
    expect(peakBytes).toBeGreaterThanOrEqual(quantities.processBytesBefore as number);
    await dispose();
  });

  it.skipIf(torch === undefined)('compares with PyTorch where a Python has it', async () => {
    for (const comparison of [formatsComparison(MODEL, ['.pth']), parseComparison(MODEL, ['safetensors', '.pth'])]) {
      const rows = await measured(comparison, bench());
      expect(rows.get('PyTorch, .pth')).toMatchObject({ status: 'measured', role: 'peer' });
      expect(rows.get('Saccade, .pth')).toMatchObject({ status: 'measured' });
    }
  });

  it.skipIf(torch === undefined)('compares with PyTorch in a process of its own', async () => {
    const { contenders, baseline, dispose } = await freshComparison(MODEL).prepare(bench());
    const [, peer] = contenders as [Contender, Contender];
    expect(peer).toMatchObject({ name: 'PyTorch', role: 'peer', engine: `PyTorch ${torch?.version}` });
    expect(baseline).toBe('PyTorch');
    const { error, tolerance } = await peer.check();
    expect(error).toBeLessThanOrEqual(tolerance);
    expect(await peer.run()).toMatchObject({ wallMs: expect.any(Number), peakBytes: expect.any(Number) });
    await dispose();
  });

  it('reads little of a large file', async () => {
    const size = { tensors: 10, side: 64 };
    const [open, tensor] = largeComparisons(size) as [Comparison, Comparison];
    const opened = await measured(open, bench());
    const read = await measured(tensor, bench());
    const bytes = (rows: typeof opened, name: string) => rows.get(name)?.quantities?.bytesRead ?? Number.NaN;
    expect(bytes(opened, 'openWeights')).toBeLessThan(bytes(opened, 'JSON.parse of the header') + 2 ** 14);
    expect(bytes(read, 'one read')).toBe(64 * 64 * 4);
    expect(bytes(read, 'openWeights and get')).toBe(bytes(opened, 'openWeights') + 64 * 64 * 4);
  });
});
