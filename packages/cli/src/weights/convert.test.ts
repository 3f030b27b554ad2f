import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createModel, createVisionTransformer, modelConfig, toTsmKeys } from '@saccade/backbones';
import { setupBackend } from '@saccade/tensor-ops/node';
import { applyKeyMap, parseSafetensors, parseTorch, type StateTensor, serializeTorch } from '@saccade/weights';
import { describe, expect, it } from 'vitest';
import { Interrupted } from '../terminal/interrupt.ts';
import { Folder, floats, saccade } from '../testing/cli.ts';

const FIXTURES = fileURLToPath(new URL('../../../weights/src/fixtures/', import.meta.url));

const convert = (...args: string[]) => saccade(['weights', 'convert', ...args]);
const safetensors = async (path: string) => parseSafetensors(await readFile(path));
const torch = async (path: string) => parseTorch(await readFile(path)).stateDict();

/** float32 numbers as float64. */
const f32 = (...values: number[]) => values.map(Math.fround);

describe('saccade weights convert', () => {
  it.each([
    ['training.pth', '*'],
    ['views.pth', '*'],
    ['dtypes.pth', '*float*'],
    ['dtypes.pth', '*int*'],
    ['dtypes.legacy.pth', '*bool*'],
  ])('writes the tensors of %s as safetensors and back, bit for bit: %s', async (fixture, pattern) => {
    await using folder = await Folder.make();
    const input = `${FIXTURES}torch/${fixture}`;
    const [there, back] = [await folder.file('a.safetensors'), await folder.file('b.pth')];
    const first = await convert(input, there, '--only', pattern);
    expect(first.code, first.err).toBe(0);
    const original = await torch(input);
    const names = original.names.filter((name) => name.includes(pattern.replaceAll('*', ''))).sort();
    expect(names.length).toBeGreaterThan(0);
    expect(first.out).toMatch(new RegExp(`a\\.safetensors: safetensors, ${names.length} tensors?, `));
    expect(await convert(there, back)).toMatchObject({ code: 0 });
    const [one, two] = [await safetensors(there), await torch(back)];
    expect([...one.names].sort()).toEqual(names);
    for (const name of names) {
      expect(one.bytes(name), name).toEqual(original.bytes(name));
      expect(two.bytes(name), name).toEqual(original.bytes(name));
      const { dtype, shape } = original.info(name);
      expect(two.info(name), name).toMatchObject({ dtype, shape });
    }
    expect(await folder.names()).toEqual(['a.safetensors', 'b.pth']);
    expect(await convert(input, there, '--force', '--only', 'x*y')).toMatchObject({
      code: 1,
      err: expect.stringContaining('x*y'),
    });
  });

  it('keeps metadata, adds to it, and says when it is lost', async () => {
    await using folder = await Folder.make();
    const input = await folder.tensors('in.safetensors', { a: floats(1) }, { epoch: '3', lr: '1' });
    const output = await folder.file('out.safetensors');
    await convert(input, output, '--metadata', 'lr=2=3', '--metadata', 'author=me');
    expect([...(await safetensors(output)).metadata]).toEqual([
      ['epoch', '3'],
      ['lr', '2=3'],
      ['author', 'me'],
    ]);
    const lost = await convert(input, await folder.file('out.pth'));
    expect(lost).toMatchObject({ code: 0, err: expect.stringContaining('the metadata is left out') });
    const refused = await convert(input, await folder.file('out.pt'), '--metadata', 'a=b');
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('--metadata is for safetensors') });
  });

  it('rounds floating point tensors to another dtype, and leaves the others', async () => {
    await using folder = await Folder.make();
    const counter: StateTensor = { dtype: 'int64', shape: [], data: BigInt64Array.of(7n) };
    const wide: StateTensor = { dtype: 'float64', shape: [1], data: Float64Array.of(0.1) };
    const input = await folder.tensors('in.safetensors', { a: floats(1 / 3, 70_000, -0), counter, wide });
    const halves = await convert(input, await folder.file('half.safetensors'), '--dtype', 'f16');
    expect(halves.code).toBe(1);
    expect(halves.err).toMatch(
      /^saccade: a has a value of 7\.000e\+4, beyond what float16 holds\. Choose --dtype bf16 or f32/,
    );
    expect(await folder.names()).toEqual(['in.safetensors']);

    const output = await folder.file('bf16.safetensors');
    expect((await convert(input, output, '--dtype', 'bf16')).code).toBe(0);
    const file = await safetensors(output);
    // The nearest numbers of 8 significant bits.
    expect(file.get('a')).toEqual({ dtype: 'bfloat16', shape: [3], data: Float32Array.of(0.333984375, 70_144, -0) });
    expect(file.get('wide')).toEqual({ dtype: 'bfloat16', shape: [1], data: Float32Array.of(0.10009765625) });
    expect(file.get('counter')).toEqual(counter);
    await convert(output, await folder.file('f32.pth'), '--dtype', 'f32');
    expect((await torch(await folder.file('f32.pth'))).get('a')).toMatchObject({
      dtype: 'float32',
      data: Float32Array.of(...f32(0.333984375, 70_144, -0)),
    });
  });

  it('renames by prefix and by map, forwards and backwards', async () => {
    await using folder = await Folder.make();
    const names = ['base_model.conv1.weight', 'base_model.layer1.0.conv1.weight', 'new_fc.bias'];
    const input = await folder.tensors('in.safetensors', Object.fromEntries(names.map((name) => [name, floats(1)])));
    const mit = await folder.file('mit.pth');
    await convert(input, mit, '--map', 'tsm', '--invert-map', '--add-prefix', 'module.');
    const wrapped = parseTorch(await readFile(mit)).stateDict({ stripPrefixes: false });
    expect([...wrapped.names].sort()).toEqual([
      'module.base_model.conv1.weight',
      'module.base_model.layer1.0.conv1.net.weight',
      'module.new_fc.bias',
    ]);
    const again = await folder.file('again.safetensors');
    expect(await convert(mit, again, '--map', 'tsm')).toMatchObject({ code: 0, err: '' });
    expect((await safetensors(again)).names).toEqual((await safetensors(input)).names);
    const kept = await folder.file('kept.safetensors');
    await convert(mit, kept, '--keep-prefixes', '--strip-prefix', 'module.base_model.');
    expect((await safetensors(kept)).names).toContain('layer1.0.conv1.net.weight');

    expect(await convert(input, mit, '--force', '--map', 'tms')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Known: identity'),
    });
    expect(await convert(input, mit, '--force', '--invert-map')).toMatchObject({ code: 2 });
    expect(await convert(input, mit, '--force', '--add-prefix', 'module')).toMatchObject({
      code: 2,
      err: expect.stringContaining('ends with a dot'),
    });
    const note = await convert(input, await folder.file('part.safetensors'), '--strip-prefix', 'base_model.');
    expect(note).toMatchObject({
      code: 0,
      err: expect.stringMatching(/note: 1 names, such as new_fc\.bias, are not found again/),
    });
  });

  it('replaces no file unless told to, and knows no format of other names', async () => {
    await using folder = await Folder.make();
    const input = await folder.tensors('in.safetensors', { a: floats(1) });
    const output = await folder.file('out.safetensors', Uint8Array.of(9));
    expect(await convert(input, output)).toMatchObject({ code: 2, err: expect.stringContaining('Pass --force') });
    expect((await stat(output)).size).toBe(1);
    expect((await convert(input, output, '--force')).code).toBe(0);
    // Also the input itself: it is read before its name is taken away.
    expect((await convert(input, input, '--force', '--dtype', 'f16')).code).toBe(0);
    expect((await safetensors(input)).get('a').dtype).toBe('float16');
    expect(await convert(input, await folder.file('out.weights'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('--format'),
    });
    expect(await convert(input, await folder.file('out.weights'), '--format', 'torch')).toMatchObject({ code: 0 });
  });

  it('leaves nothing when it fails or is interrupted', async () => {
    await using folder = await Folder.make();
    const opaque = await convert(`${FIXTURES}upstream_opaque.safetensors`, await folder.file('out.safetensors'));
    expect(opaque).toMatchObject({ code: 1, err: expect.stringContaining('complex64') });
    const input = await folder.tensors('in.safetensors', { a: floats(1), b: floats(2) });
    for (const name of ['out.safetensors', 'out.pth']) {
      const controller = new AbortController();
      controller.abort(new Interrupted('now'));
      const outcome = await saccade(['weights', 'convert', input, await folder.file(name)], controller.signal);
      expect(outcome).toEqual({ code: 130, out: '', err: 'saccade: interrupted; nothing was left half-written.\n' });
    }
    expect(await folder.names()).toEqual(['in.safetensors']);
  });
});

describe('saccade weights convert --for', () => {
  it('gives what the model loads as it is', async () => {
    await setupBackend('cpu');
    await using folder = await Folder.make();
    using source = createModel('tsm_resnet_pico', { seed: 1 });
    const state = (await source.stateDict()) as Map<string, StateTensor>;
    const file = serializeTorch(applyKeyMap(toTsmKeys(source.config), state).state);
    const input = await folder.file('tsm.pth', file);
    const output = await folder.file('ours.safetensors');
    expect(await convert(input, output, '--for', 'tsm_resnet_pico')).toMatchObject({ code: 0, err: '' });
    using model = createModel('tsm_resnet_pico', { seed: 2 });
    model.loadStateDict((await safetensors(output)).toStateDict());
    expect(await model.stateDict()).toEqual(state);

    const other = await convert(
      input,
      await folder.file('b.safetensors'),
      '--for',
      'tsm_resnet_pico',
      '--classes',
      '3',
    );
    expect(other).toMatchObject({ code: 1, err: expect.stringMatching(/are for 16 classes .*{ head: 'replace' }/) });
    const headless = await folder.file('headless.safetensors');
    const args = ['--for', 'tsm_resnet_pico', '--classes', '3', '--head', 'replace', '--add-prefix', 'net.'];
    expect(await convert(input, headless, ...args)).toMatchObject({
      code: 0,
      err: expect.stringMatching(/left out: 2, such as/),
    });
    expect((await safetensors(headless)).names).toHaveLength(state.size - 2);
    expect((await safetensors(headless)).names.every((name) => name.startsWith('net.base_model.'))).toBe(true);
    expect(await convert(input, await folder.file('c.pth'), '--for', 'tsm_resnet')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/Near: .*tsm_resnet50/),
    });
    expect(await folder.names()).toEqual(['headless.safetensors', 'ours.safetensors', 'tsm.pth']);
  });

  it('resamples positions', async () => {
    await setupBackend('cpu');
    await using folder = await Folder.make();
    using small = createVisionTransformer({ ...modelConfig('deit_ti'), inputSize: [32, 32], depth: 12, seed: 1 });
    const input = await folder.file('in.pth', serializeTorch((await small.stateDict()) as Map<string, StateTensor>));
    const output = await folder.file('out.safetensors');
    expect(await convert(input, output, '--for', 'deit_ti')).toMatchObject({
      code: 1,
      err: expect.stringContaining('resizePositions'),
    });
    expect(await convert(input, output, '--for', 'deit_ti', '--resize-positions')).toMatchObject({
      code: 0,
      err: expect.stringMatching(/resampled: 1, such as pos_embed/),
    });
    expect((await safetensors(output)).info('pos_embed').shape).toEqual([1, 197, 192]);
  });
});
