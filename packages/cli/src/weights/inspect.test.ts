import { fileURLToPath } from 'node:url';
import { serializeTorch } from '@saccade/weights';
import { describe, expect, it } from 'vitest';
import { Folder, floats, saccade } from '../testing/cli.ts';

const FIXTURES = fileURLToPath(new URL('../../../weights/src/fixtures/torch/', import.meta.url));

const inspect = (...args: string[]) => saccade(['weights', 'inspect', ...args]);

describe('saccade weights inspect', () => {
  it('shows what a file is, and a table of its tensors', async () => {
    await using folder = await Folder.make();
    const path = await folder.tensors(
      'a.safetensors',
      { 'head.weight': { ...floats(3, 0, -4, 0, 0, 0), shape: [2, 3] }, 'head.bias': floats(1, 1) },
      { epoch: '3' },
    );
    const { code, out, err } = await inspect(path, '--norms');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.trimEnd().split('\n')).toEqual([
      path,
      '  format   safetensors',
      expect.stringMatching(/^ {2}file {5}\d+ B$/),
      '  tensors  2',
      '  epoch    3',
      '',
      '| name        | dtype   | shape  | values | size |    norm |',
      '| :---------- | :------ | :----- | -----: | ---: | ------: |',
      '| head.bias   | float32 | [2]    |      2 |  8 B | 1.41421 |',
      '| head.weight | float32 | [2, 3] |      6 | 24 B | 5.00000 |',
      '',
      '2 tensors, 8 values, 32 B',
    ]);
  });

  it('says in which part of a checkpoint of PyTorch they lie, and whose names they are', async () => {
    await using folder = await Folder.make();
    const names = ['base_model.conv1.weight', 'base_model.layer1.0.conv1.net.weight', 'new_fc.bias'];
    const path = await folder.file(
      'tsm.pth',
      serializeTorch(new Map(names.map((name) => [`module.${name}`, floats(1)]))),
    );
    const { out } = await inspect(path);
    expect(out).toMatch(/ {2}names of {2}MIT's TSM\n/);
    expect(out).toContain('| new_fc.bias ');
    expect((await inspect(path, '--keep-prefixes')).out).toContain('| module.new_fc.bias ');
    const training = await inspect(`${FIXTURES}training.pth`, '--json');
    expect(JSON.parse(training.out)).toMatchObject({ format: 'torch', container: ['model'] });
  });

  it('takes the key of a part, and says which there are', async () => {
    const path = `${FIXTURES}container_two_parts.pth`;
    const without = await inspect(path);
    expect(without.code).toBe(1);
    expect(without.err).toMatch(/^saccade: NoStateDict: .*tensors under "generator", "discriminator"/);
    const { code, out } = await inspect(path, '--key', 'generator', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ container: ['generator'] });
  });

  it('prints JSON, also of a few names', async () => {
    await using folder = await Folder.make();
    const path = await folder.tensors('a.safetensors', { a: floats(1), b: floats(2, 2) });
    const { out } = await inspect(path, '--json', '--filter', 'b*', '--norms');
    expect(JSON.parse(out)).toEqual({
      file: path,
      format: 'safetensors',
      fileBytes: expect.any(Number),
      layout: null,
      container: [],
      ignored: [],
      metadata: {},
      tensors: [{ name: 'b', dtype: 'float32', shape: [2], values: 2, bytes: 8, norm: Math.sqrt(8) }],
    });
    const nothing = await inspect(path, '--filter', 'c*');
    expect(nothing).toMatchObject({ code: 1, err: expect.stringContaining('none of the 2 names') });
  });

  it('shows names of any kind, and dtypes that it does not read', async () => {
    await using folder = await Folder.make();
    const path = await folder.tensors('a.safetensors', { 'a\u001b[31m|': floats(1) }, { 'k\n': 'v\u0007' });
    const { out } = await inspect(path);
    expect(out).toContain('a\\u{1b}[31m\\|');
    expect(out).toContain('k\\u{a}');
    expect(out).toContain('v\\u{7}');
    for (const control of ['\u001b', '\u0007']) expect(out).not.toContain(control);
    const opaque = await inspect(
      fileURLToPath(new URL('../upstream_opaque.safetensors', `file://${FIXTURES}`)),
      '--norms',
    );
    expect(opaque.code).toBe(0);
    expect(opaque.out).toMatch(/complex64 .* \|\s+\|\n/);
  });

  it.each([
    ['no such file', () => inspect('/nowhere/a.pth'), 2, /there is no file \/nowhere\/a\.pth/],
    ['a folder', () => inspect(FIXTURES), 1, /is no regular file/],
    [
      'a whole module',
      () => inspect(`${FIXTURES}whole_module.pth`),
      1,
      /RefusedGlobal: .*torch\.save\(model\.state_dict\(\)/s,
    ],
    ['something else', () => inspect(fileURLToPath(import.meta.url)), 1, /this is/],
  ])('refuses %s', async (_, run, code, message) => {
    const outcome = await run();
    expect(outcome).toMatchObject({ code, out: '' });
    expect(outcome.err).toMatch(message);
    expect(outcome.err).not.toContain('mistake in saccade');
  });
});
