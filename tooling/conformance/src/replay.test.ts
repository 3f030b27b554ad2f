import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BackendInfo, setupBackend } from '@saccade/tensor-ops/node';
import { parseSafetensors, type StateTensor, serializeSafetensors } from '@saccade/weights';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenFiles, replayFile } from './replay.ts';
import { fileLine, totalsLine } from './report.ts';

const source = fileURLToPath(new URL('../golden/structsa/op_2d_s1_k1_D4.safetensors', import.meta.url));

let folder: string;
let backend: BackendInfo;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saccade-golden-'));
  backend = await setupBackend('cpu');
});

afterAll(() => rm(folder, { recursive: true }));

/** Writes the operator's file again, with changes. */
async function write(
  name: string,
  change: (tensors: Map<string, StateTensor>, metadata: Map<string, string>) => void,
): Promise<void> {
  const file = parseSafetensors(await readFile(source));
  const [tensors, metadata] = [file.toStateDict(), new Map(file.metadata)];
  change(tensors, metadata);
  await writeFile(join(folder, name), serializeSafetensors(tensors, metadata));
}

/** A copy of a tensor with its first value changed by `by` times its largest magnitude. */
function off(tensor: StateTensor, by: number): StateTensor {
  const data = Float32Array.from(tensor.data as Float32Array);
  data[0]! += by * data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { ...tensor, data };
}

describe('replayFile', () => {
  it('goes by what a file says, not by its name', async () => {
    await copyFile(source, join(folder, 'net_unknown.safetensors'));
    const result = await replayFile(folder, 'net_unknown.safetensors', backend);
    expect(fileLine(result)).toMatch(
      /^ok {4}net_unknown\.safetensors {2}1 forward: .* of 2\.0e-5; 7 gradients: .* of 2\.0e-4$/,
    );
    expect(result.outcome).toBe('ok');
  });

  it.each([
    ['output', 1e-4],
    ['grad_input', 1e-3],
    ['grad.conv_v.weight', 1e-3],
  ])('fails if %s is off by %d of its magnitude, and says where', async (name, by) => {
    await write('wrong.safetensors', (tensors) => tensors.set(name, off(tensors.get(name)!, by)));
    const result = await replayFile(folder, 'wrong.safetensors', backend);
    expect(result.outcome).toBe('FAIL');
    expect(fileLine(result)).toContain(`(${name})`);
  });

  it('takes the stricter tolerance of ours and of the manifest', async () => {
    await mkdir(join(folder, 'strict'));
    await copyFile(source, join(folder, 'strict', 'op.safetensors'));
    const tolerances = { 'output,tap.*': 1e-9, 'grad_input,grad.*': 1 };
    const manifest = { files: { 'op.safetensors': { recommended_tolerance: tolerances } } };
    await writeFile(join(folder, 'strict', 'manifest.json'), JSON.stringify(manifest));
    const { outcome, checks } = await replayFile(join(folder, 'strict'), 'op.safetensors', backend);
    expect(outcome).toBe('FAIL');
    expect(checks.find(({ name }) => name === 'output')?.tolerance).toBe(1e-9);
    expect(checks.find(({ name }) => name === 'grad_input')?.tolerance).toBe(2e-4);
  });

  it('fails what was not compared', async () => {
    await write('more.safetensors', (tensors) => tensors.set('tapp.K', tensors.get('output')!));
    expect(await replayFile(folder, 'more.safetensors', backend)).toMatchObject({
      outcome: 'FAIL',
      notes: ['1 tensors not compared: tapp.K'],
    });
  });

  it('fails a kind or family that it does not know', async () => {
    await write('kind.safetensors', (_, metadata) => metadata.set('kind', 'operators'));
    const kind = await replayFile(folder, 'kind.safetensors', backend);
    expect(kind).toMatchObject({ outcome: 'FAIL', notes: ['no handler for family "structsa", kind "operators"'] });
    await write('family.safetensors', (_, metadata) => metadata.set('family', 'other'));
    expect((await replayFile(folder, 'family.safetensors', backend)).outcome).toBe('FAIL');
    await write('mute.safetensors', (_, metadata) => metadata.delete('family'));
    expect((await replayFile(folder, 'mute.safetensors', backend)).notes[0]).toMatch(/does not state "family"/);
  });

  it('fails what is damaged, incomplete or wrongly described, and goes on', async () => {
    const bytes = await readFile(source);
    await writeFile(join(folder, 'cut.safetensors'), bytes.subarray(0, bytes.length - 8));
    expect((await replayFile(folder, 'cut.safetensors', backend)).outcome).toBe('FAIL');
    await write('less.safetensors', (tensors) => tensors.delete('input'));
    expect((await replayFile(folder, 'less.safetensors', backend)).notes[0]).toMatch(/input/);
    await write('odd.safetensors', (_, metadata) => metadata.set('heads', '3'));
    expect((await replayFile(folder, 'odd.safetensors', backend)).notes[0]).toMatch(/heads/);
    await write('words.safetensors', (_, metadata) => metadata.set('heads', 'two'));
    expect((await replayFile(folder, 'words.safetensors', backend)).notes[0]).toMatch(/"heads" as "two"/);
  });

  it('looks at data_indices.json where one lies beside', async () => {
    await mkdir(join(folder, 'indices'));
    await writeFile(join(folder, 'indices', 'data_indices.json'), '{}');
    expect(await goldenFiles(join(folder, 'indices'))).toEqual(['data_indices.json']);
    expect((await replayFile(join(folder, 'indices'), 'data_indices.json', backend)).outcome).toBe('FAIL');
  });

  it('refuses a folder without golden files', async () => {
    await expect(goldenFiles(join(folder, 'nowhere'))).rejects.toThrow(/nowhere.*ENOENT/);
    await mkdir(join(folder, 'empty'));
    await expect(goldenFiles(join(folder, 'empty'))).rejects.toThrow(/found none/);
  });
});

describe('totalsLine', () => {
  it('counts outcomes', () => {
    const result = { name: 'a', checks: [], notes: [] };
    const results = [
      { ...result, outcome: 'ok' },
      { ...result, outcome: 'ok' },
      { ...result, outcome: 'FAIL' },
    ] as const;
    expect(totalsLine(results)).toBe('3 files, 0 tensors compared: 2 ok, 1 failed');
  });
});
