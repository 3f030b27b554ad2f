import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planOperator, writePlan } from './generate.ts';
import { UsageError } from './names.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
let root: string;

/** The parts of the repository that the generator reads, in a folder of their own. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'saccade-new-op-'));
  for (const path of ['README.md', 'tooling/check/layers.json', 'tooling/check/.size-limit.json']) {
    await cp(join(repository, path), join(root, path));
  }
});
afterEach(() => rm(root, { recursive: true, force: true }));

const json = async (path: string) => JSON.parse(await readFile(join(root, path), 'utf8'));

describe('the generator', () => {
  it('writes a package of the shape that operators have', async () => {
    await writePlan(root, planOperator(root, 'window-attention'));
    const files = await readdir(join(root, 'packages/window-attention'), { recursive: true });
    expect(files.sort()).toEqual([
      'README.md',
      'package.json',
      'src',
      'src/WindowSelfAttention.test.ts',
      'src/WindowSelfAttention.ts',
      'src/cost.test.ts',
      'src/cost.ts',
      'src/index.ts',
      'src/kernels',
      'src/kernels/README.md',
      'src/maps.test.ts',
      'src/maps.ts',
      'src/windowAttention.bench.ts',
      'src/windowAttention.test.ts',
      'src/windowAttention.ts',
      'tsconfig.build.json',
      'tsconfig.json',
    ]);
    expect(await json('packages/window-attention/package.json')).toMatchObject({
      name: '@saccade/window-attention',
      version: '0.0.0',
      repository: { directory: 'packages/window-attention' },
    });
  });

  it('leaves no trace of the name of the template', () => {
    const added = planOperator(root, 'window').filter(({ path }) => path.startsWith('packages/'));
    expect(added.filter(({ path, content }) => /template-?op/i.test(path + content))).toEqual([]);
  });

  it('wires the package into layers, budgets, changesets and the README', async () => {
    await writePlan(root, planOperator(root, 'window'));
    const layers = await json('tooling/check/layers.json');
    expect(layers.operators).toContain('window');
    expect(layers.floors.find((floor: string[]) => floor.includes('structsa'))).toContain('window');
    expect((await json('tooling/check/.size-limit.json')).at(-1)).toMatchObject({
      name: 'window WindowSelfAttention',
      path: '../../packages/window/dist/index.js',
      import: '{ WindowSelfAttention }',
    });
    expect(await readFile(join(root, '.changeset/window.md'), 'utf8')).toContain('"@saccade/window": minor');
    expect(await readFile(join(root, 'README.md'), 'utf8')).toContain('| [`@saccade/window`](packages/window) |');
  });

  it('overwrites nothing', async () => {
    await writePlan(root, planOperator(root, 'window'));
    expect(() => planOperator(root, 'window')).toThrow(UsageError);
    expect(() => planOperator(root, 'window')).toThrow(/packages\/window exists/);
    expect(() => planOperator(root, 'check')).toThrow(/tooling\/check exists/);
  });
});
