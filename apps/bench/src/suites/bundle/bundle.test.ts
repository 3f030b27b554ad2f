import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { measured, withBench } from '../../external/testing/measured.ts';
import { workFolder } from '../../external/workFolder.node.ts';
import { readBudgets } from './budgets.node.ts';
import { bundle, sizesOf } from './bundle.node.ts';
import { type BundledImport, nameOf } from './bundledImport.ts';
import { importsComparison } from './imports.node.ts';
import { IMPORTS } from './imports.ts';
import { bundleSuite } from './index.ts';
import { NETWORK, type Stack, stacksComparison, TFJS } from './stacks.node.ts';

const bench = withBench();

describe('a bundle', () => {
  it('has what is asked for, what comes with it, and apart what is loaded later', async () => {
    const code = `export { segmentFrames } from '@saccade/media'; export const later = () => import('@saccade/weights');`;
    const { exports, files, late } = await bundle({ code, external: [] });
    expect([...exports].sort()).toEqual(['later', 'segmentFrames']);
    const [first, second] = [await sizesOf(files), await sizesOf(late)];
    expect(first.raw).toBeGreaterThan(500);
    expect(first.gzip).toBeLessThan(first.raw);
    expect(first.brotli).toBeLessThan(first.raw);
    // All of @saccade/weights, against one function of a dozen lines.
    expect(second.raw).toBeGreaterThan(10 * first.raw);
  });

  it('leaves out what applications bring', async () => {
    const code = `export { tensor } from '@tensorflow/tfjs-core';`;
    const sizes = async (external: RegExp[]) => (await sizesOf((await bundle({ code, external })).files)).raw;
    expect(await sizes([/^@tensorflow\//])).toBeLessThan(200);
    expect(await sizes([])).toBeGreaterThan(20_000);
  });
});

describe('budgets', () => {
  it('are those of pnpm check', async () => {
    const budgets = await readBudgets();
    expect(budgets.map(({ name }) => name)).toContain('structsa StructSelfAttention');
    for (const { limitBytes } of budgets) expect(limitBytes).toBeGreaterThan(1000);
  });

  it('of another form are refused', async () => {
    const folder = await workFolder();
    const entry = { path: '../../packages/nn/dist/index.js', import: '*', limit: '5 kB' };
    await writeFile(folder.path('limits.json'), JSON.stringify([entry]));
    await expect(readBudgets(pathToFileURL(folder.path('limits.json')))).rejects.toThrow(/another form.*"\*"/);
    await folder.remove();
  });
});

describe('imports', () => {
  it('have unique names, and none is listed that has a budget, but to be used', async () => {
    const names = Object.values(IMPORTS).flatMap((group) => group.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    const budgets = new Set((await readBudgets()).map(({ name }) => name));
    for (const { name, run } of IMPORTS.budgets ?? []) {
      expect(budgets).toContain(name);
      expect(run).toBeTypeOf('function');
    }
  });

  it('are measured when the bundle computes what the sources compute', async () => {
    const entries = [found('media segmentFrames'), found('tensor-ops matMul'), found('datasets DataLoader, readerOf')];
    const rows = await measured(
      importsComparison('some', async () => entries),
      bench(),
    );
    expect(rows.get('tensor-ops matMul')).toMatchObject({
      status: 'measured',
      check: { against: 'the sources, not bundled', error: 0 },
      quantities: { rawBytes: expect.any(Number), gzipBytes: expect.any(Number), brotliBytes: expect.any(Number) },
    });
    expect(rows.get('media segmentFrames')).toMatchObject({ status: 'measured', check: { error: 0 } });
    for (const row of rows.values()) expect(row).not.toHaveProperty('wallMs');
  });

  it('fail when there is no such name', async () => {
    const from = '@saccade/nn';
    const missing: BundledImport = { name: nameOf(from, ['NoSuchLayer']), from, names: ['NoSuchLayer'] };
    const rows = await measured(
      importsComparison('missing', async () => [missing]),
      bench(),
    );
    expect(rows.get('nn NoSuchLayer')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('NoSuchLayer'),
    });
  });
});

describe('stacks', () => {
  const small: Stack = {
    name: 'small',
    role: 'saccade',
    code: `export { segmentFrames } from '@saccade/media';`,
    names: ['segmentFrames'],
    packages: [],
    beside: ['@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm'],
  };

  it('count binaries, and say what is not installed', async () => {
    const other: Stack = { ...small, name: 'other', role: 'peer', packages: ['no-such-package'] };
    const rows = await measured(stacksComparison('some', [small, other]), bench());
    const { rawBytes = 0, binaryBytes = 0 } = rows.get('small')?.quantities ?? {};
    expect(binaryBytes).toBeGreaterThan(100_000);
    expect(rawBytes).toBeGreaterThan(binaryBytes);
    expect(rows.get('other')).toMatchObject({ status: 'absent', reason: 'no-such-package is not installed' });
  });

  it('are wrong when the bundler dropped a name', async () => {
    const rows = await measured(stacksComparison('some', [{ ...small, names: ['crop'] }]), bench());
    expect(rows.get('small')).toMatchObject({ status: 'wrong' });
    expect(rows.get('small')).not.toHaveProperty('quantities');
  });

  it('have unique names', () => {
    for (const stacks of [TFJS, NETWORK]) expect(new Set(stacks.map(({ name }) => name)).size).toBe(stacks.length);
  });
});

it('lists comparisons of unique names for both scales', () => {
  for (const scale of ['quick', 'full'] as const) {
    const place = { home: 'node', backend: 'wasm', softwareGpu: false, scale } as const;
    const ids = bundleSuite.comparisons(place).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  }
});

function found(name: string): BundledImport {
  const entry = Object.values(IMPORTS)
    .flat()
    .find((other) => other.name === name);
  if (entry === undefined) throw new Error(`no import ${name}`);
  return entry;
}
