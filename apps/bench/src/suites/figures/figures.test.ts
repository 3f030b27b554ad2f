import { describeOnBackends } from '@saccade/vitest-preset';
import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../core/comparison.ts';
import { measureComparison } from '../../core/measure.ts';
import { MEASURE } from '../../core/measureOptions.ts';
import { testBench } from '../support/testing.ts';
import { againstAll, parts } from './dg.ts';
import { figuresSuite } from './index.ts';
import { structComparison } from './structsa.ts';

const SMALL = { tokens: 40, heads: 2, size: 8, groups: 4, topK: 6 };
const STAGE = { channels: 12, heads: 3, detectors: 2 };
const FEW = { ...MEASURE.quick, samples: 2, mostSamples: 2, steadyMs: 0, shortestSampleMs: 0, budgetMs: 60_000 };

describeOnBackends(
  'figures',
  (backend) => {
    const measured = (comparison: Comparison, softwareGpu = false) =>
      measureComparison(comparison, { bench: testBench(backend, { softwareGpu }), options: FEW });

    it.each(['forward', 'forward+backward'] as const)('measures DG-Attention, %s', async (direction) => {
      const rows = await measured(againstAll(SMALL, direction));
      expect(rows.map(({ status, reason }) => reason ?? status)).toEqual(['measured', 'measured']);
      expect(rows[1]).toMatchObject({ contender: 'DG-Attention', baseline: 'attention between all tokens' });
    });

    it('measures how much of it is finding the groups', async () => {
      const rows = await measured(parts(SMALL));
      expect(rows.map(({ contender, status, reason }) => [contender, reason ?? status])).toEqual([
        ['DG-Attention', 'measured'],
        ['routing', 'measured'],
        ['within groups', 'measured'],
      ]);
    });

    it.each([
      [[3, 4], 'forward'],
      [[2, 3, 3], 'forward+backward'],
    ] as const)('measures StructSA on %j, %s', async (grid, direction) => {
      const rows = await measured(structComparison(grid, direction, STAGE));
      const kernels = backend.name === 'webgpu';
      expect(rows.find(({ contender }) => contender === 'StructSA (explicit)')?.status).toBe('measured');
      expect(rows.find(({ contender }) => contender === 'StructSA (fused)')?.status).toBe(
        kernels ? 'measured' : 'failed',
      );
    });
  },
  { backends: ['wasm', 'webgpu'] },
);

describe('the list', () => {
  const ids = (backend: 'wasm' | 'webgpu', softwareGpu: boolean, scale: 'quick' | 'full') =>
    figuresSuite.comparisons({ home: 'node', backend, softwareGpu, scale }).map(({ id }) => id);

  it('has unique names, StructSA where it has kernels, and the groups where times mean something', () => {
    const full = ids('wasm', false, 'full');
    expect(new Set(full).size).toBe(full.length);
    expect(full).toContain('dg/n3136/forward-backward');
    expect(full.filter((id) => id.startsWith('structsa'))).toEqual([]);
    expect(ids('webgpu', true, 'full').every((id) => id.startsWith('structsa'))).toBe(true);
    expect(ids('webgpu', true, 'quick')).toEqual([]);
  });

  it('says so where a run would take minutes', async () => {
    const { contenders, absent = [] } = await structComparison([8, 14, 14], 'forward').prepare({
      ...testBench({ name: 'webgpu' } as Parameters<typeof testBench>[0]),
      softwareGpu: true,
    });
    expect(contenders).toEqual([]);
    expect(absent.map(({ status }) => status)).toEqual(['skipped', 'skipped']);
  });
});
