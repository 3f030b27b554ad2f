import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dynamicGroups } from './dynamicGroups.ts';
import { groupedAttention } from './groupedAttention.ts';
import { blockSize, planBlocks, sortQueries } from './groupedPlan.ts';
import { sample, tensor } from './testing/reference.ts';

const groupings = fc
  .record({ groups: fc.integer({ min: 1, max: 6 }), queries: fc.integer({ min: 1, max: 90 }), seed: fc.nat() })
  .map(({ groups, queries, seed }) => ({
    groups,
    assignment: Array.from({ length: queries }, (_, i) => ((i * (seed % 97)) ^ (seed >> (i % 13))) % groups),
  }));

describe('sortQueries', () => {
  it('puts queries of a group side by side, in their order', () => {
    fc.assert(
      fc.property(groupings, ({ groups, assignment }) => {
        const { order, begins } = sortQueries(assignment, groups);
        const expected = assignment.map((_, i) => i).sort((a, b) => assignment[a]! - assignment[b]! || a - b);
        expect([...order]).toEqual(expected);
        for (let g = 0; g < groups; g++) {
          const own = [...order.subarray(begins[g], begins[g + 1])];
          expect(own.every((i) => assignment[i] === g)).toBe(true);
        }
        expect(begins[groups]).toBe(assignment.length);
      }),
    );
  });
});

describeOnBackends(
  'planBlocks',
  () => {
    it('has a place for every query, and blocks of one group', () => {
      fc.assert(
        fc.property(groupings, ({ groups, assignment }) => {
          const queries = assignment.length;
          const keys = Array.from({ length: groups }, (_, g) => [g, g + 1]);
          const routing = {
            assignment: tf.tensor([[assignment]], undefined, 'int32') as tf.Tensor3D,
            keys: tf.tensor([[keys]], undefined, 'int32') as tf.Tensor4D,
          };
          const { slots, filled, keyRows, places } = planBlocks(routing, groups + 1);
          const [blocks, size] = slots.shape;
          expect(Array.from(places, (place) => slots.numbers[place])).toEqual(assignment.map((_, i) => i));
          expect(filled.reduce((sum, one) => sum + one, 0)).toBe(queries);
          expect(slots.numbers.every((i, at) => assignment[i] === keyRows.numbers[2 * Math.floor(at / size)])).toBe(
            true,
          );
          // The bounds of the specification: blocks, and what they are filled up with.
          expect(blocks).toBeLessThanOrEqual(groups + Math.floor(queries / size));
          expect(slots.numbers.length - queries).toBeLessThanOrEqual(groups * (size - 1));
        }),
      );
    });
  },
  { backends: ['cpu'] },
);

it('blocks hold 64 queries, and fewer where groups are smaller on average', () => {
  expect([blockSize(3136, 48), blockSize(300, 8), blockSize(5, 5), blockSize(1, 9)]).toEqual([64, 40, 8, 8]);
});

describeOnBackends(
  'the multiplications of grouped attention',
  () => {
    it('are 2kLC + 2LGC, and those of the places that fill blocks up', async () => {
      const [heads, tokens, size, groups, topK] = [2, 150, 4, 5, 9];
      const x = tensor<tf.Tensor4D>(sample([1, heads, tokens, size], 1));
      const centroids = tensor<tf.Tensor3D>(sample([heads, groups, size], 2));
      let filledUp = 0;
      const { kernels } = await tf.profile(() => {
        const routing = dynamicGroups(x, x, centroids, { topK });
        const { filled } = planBlocks(routing, tokens);
        filledUp = filled.length - filled.reduce((sum, one) => sum + one, 0);
        return groupedAttention(x, x, x, routing);
      });
      const executed = kernels
        .filter(({ name }) => name === tf.BatchMatMul)
        .reduce(
          (total, { inputShapes: [a, b] }) => total + tf.util.sizeFromShape(a as number[]) * (b?.[2] as number),
          0,
        );
      const channels = heads * size;
      expect(filledUp).toBeGreaterThan(0);
      expect(executed).toBe(2 * topK * tokens * channels + 2 * tokens * groups * channels + 2 * topK * size * filledUp);
    });
  },
  { backends: ['cpu'] },
);
