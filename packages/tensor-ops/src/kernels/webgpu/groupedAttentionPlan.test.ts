import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../random.ts';
import { groupedForwardProgram } from './groupedAttentionForward.ts';
import { groupedKeyValueGradProgram } from './groupedAttentionKeyValueGrad.ts';
import { makePlan, type PlanSizes, planLayout } from './groupedAttentionPlan.ts';
import { groupedQueryGradProgram } from './groupedAttentionQueryGrad.ts';

/** The line of one head, as the layout describes it. */
function expectedLine(groupOf: readonly number[], keys: readonly number[], sizes: PlanSizes): number[] {
  const layout = planLayout(sizes);
  const [places, blocks, firsts, counts] = [[], [], [], []] as [number[], number[], number[], number[]];
  for (let group = 0; group < sizes.groups; group++) {
    const own = groupOf.flatMap((g, i) => (g === group ? [i] : []));
    firsts.push(places.length);
    counts.push(own.length);
    places.push(...own);
    while (places.length % sizes.rows !== 0) places.push(-1);
    while (blocks.length < places.length / sizes.rows) blocks.push(group);
  }
  const filled = (list: number[], length: number) => [...list, ...Array<number>(length - list.length).fill(-1)];
  return [...filled(places, layout.places), ...filled(blocks, layout.blocks), ...firsts, ...counts, ...keys];
}

describeOnBackends(
  'plan of grouped attention',
  () => {
    it.each<[string, Partial<PlanSizes>, used: number]>([
      ['groups of several blocks', { queries: 170, groups: 3 }, 3],
      ['more queries than a workgroup has invocations, groups without queries', { queries: 600, groups: 9 }, 4],
      ['larger blocks', { queries: 200, groups: 4, rows: 64 }, 4],
      ['more groups than queries', { queries: 3, groups: 40 }, 40],
      ['one query', { queries: 1, groups: 1 }, 1],
    ])('sorts queries stably into blocks of one group: %s', async (_, given, used) => {
      const sizes = { heads: 2, queries: 1, length: 9, groups: 1, count: 3, rows: 32, ...given };
      const rng = new Rng(1);
      const draw = (count: number, high: number) => Array.from({ length: count }, () => rng.int(0, high));
      const groupOf = [0, 1].map(() => draw(sizes.queries, used - 1));
      const keys = [0, 1].map(() => draw(sizes.groups * sizes.count, sizes.length - 1));
      const plan = tf.tidy(() =>
        makePlan(tf.tensor1d(groupOf.flat(), 'int32'), tf.tensor1d(keys.flat(), 'int32'), sizes),
      );
      const expected = [0, 1].map((set) => expectedLine(groupOf[set] as number[], keys[set] as number[], sizes));
      expect(plan.dtype).toBe('int32');
      expect(await plan.array()).toEqual(expected);
    });
  },
  { backends: ['webgpu'] },
);

describe('planLayout', () => {
  it('has as many blocks as there can be', () => {
    const blocks = (queries: number, groups: number) =>
      planLayout({ heads: 1, length: 1, count: 1, queries, groups, rows: 32 }).blocks;
    expect(blocks(32, 1)).toBe(1);
    expect(blocks(33, 1)).toBe(2);
    expect(blocks(3, 40)).toBe(3);
    // Two groups of one query, and one of 33: four blocks. No other division gives more.
    expect(blocks(35, 3)).toBe(4);
    expect(blocks(34, 3)).toBe(3);
    expect(blocks(3136, 48)).toBe(144);
  });
});

describe('programs of grouped attention', () => {
  it('stay within the limits that every WebGPU device has', () => {
    for (const [d, rows] of [
      [1, 32],
      [32, 64],
      [64, 64],
      [128, 32],
    ] as const) {
      const counts = { heads: 1, queries: 100, length: 100, groups: 3, count: 40, rows };
      const sizes = { ...counts, keySize: d, valueSize: d, scale: 1 };
      const block = { rowVectors: rows === 64 ? 2 : 1, storage: 'f32' } as const;
      const ofKeys = { rowVectors: d <= 32 ? 2 : 1, storage: 'f32' } as const;
      for (const { declarations = '', inputs, more = [] } of [
        groupedForwardProgram(sizes, block),
        groupedQueryGradProgram(sizes, block),
        groupedKeyValueGradProgram(sizes, ofKeys, { first: 0, heads: 1 }),
      ]) {
        const arrays = [...declarations.matchAll(/var<workgroup> \w+ : array<(?:Staged|vec4<f32>), (\d+)>/g)];
        expect(arrays.length).toBeGreaterThanOrEqual(2);
        // And a number or two that all invocations share.
        const bytes = arrays.reduce((total, [, count]) => total + 16 * Number(count), 16);
        expect(bytes).toBeLessThanOrEqual(16_384);
        expect(inputs.length + more.length + 1).toBeLessThanOrEqual(8);
      }
    }
  });
});
