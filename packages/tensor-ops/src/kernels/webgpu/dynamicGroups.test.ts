import { describeOnBackends, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DynamicGroupsOptions, dynamicGroups } from '../../dynamicGroups.ts';
import { ShapeError } from '../../errors.ts';
import { setKernelMode } from '../../kernelMode.ts';
import { Rng } from '../../random.ts';
import { at, type Dense, fill, sample, sum, tensor } from '../../testing/reference.ts';
import { DYNAMIC_GROUPS } from '../names.ts';
import { runFlat } from './dynamicGroupsRows.ts';
import { selectProgram } from './dynamicGroupsSelect.ts';

/** Small integers: their products are exact, and often equal. */
function integers(shape: readonly number[], seed: number): Dense {
  const rng = new Rng(seed);
  return fill(shape, () => rng.int(-3, 3));
}

/** The places of the `count` largest numbers, ascending; of equal numbers the first. */
function largest(scores: ArrayLike<number>, count: number): number[] {
  const places = Array.from(scores, (_, i) => i);
  places.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  return places.slice(0, count).sort((a, b) => a - b);
}

interface Inputs {
  readonly q: Dense;
  readonly k: Dense;
  readonly centroids: Dense;
}

/** The definition, in float64. */
function expectedGroups({ q, k, centroids }: Inputs, { topK, assign, normalizeKeys }: DynamicGroupsOptions) {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number];
  const [length, groups] = [k.shape[2] as number, centroids.shape[1] as number];
  const dot = (x: Dense, b: number, head: number, i: number, j: number) =>
    sum(size, (c) => at(x, b, head, i, c) * at(centroids, head, j, c));
  const norm = (x: Dense, b: number, head: number, i: number) =>
    Math.max(1e-12, Math.sqrt(sum(size, (c) => at(x, b, head, i, c) ** 2)));
  const half = (head: number, j: number) => sum(size, (c) => at(centroids, head, j, c) ** 2) / 2;
  const assignment = fill([batch, heads, queries], (...[b, head, i]) => {
    const [sample, h, query] = [b as number, head as number, i as number];
    const scores = Array.from({ length: groups }, (_, j) => {
      const product = dot(q, sample, h, query, j) / norm(q, sample, h, query);
      return assign === 'euclid' ? product - half(h, j) : product;
    });
    return scores.indexOf(Math.max(...scores));
  });
  const keys: number[] = [];
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      for (let j = 0; j < groups; j++) {
        const scores = Array.from(
          { length },
          (_, l) => dot(k, b, head, l, j) / (normalizeKeys ? norm(k, b, head, l) : 1),
        );
        keys.push(...largest(scores, Math.min(topK, length)));
      }
    }
  }
  return { assignment: [...assignment.data], keys };
}

async function expectSame(inputs: Inputs, options: DynamicGroupsOptions): Promise<void> {
  const expected = expectedGroups(inputs, options);
  const [q, k, centroids] = [inputs.q, inputs.k, inputs.centroids].map((x) => tensor(x)) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor3D,
  ];
  const { assignment, keys } = dynamicGroups(q, k, centroids, options);
  expect([assignment.dtype, keys.dtype]).toEqual(['int32', 'int32']);
  expect(assignment.shape).toEqual(inputs.q.shape.slice(0, 3));
  const count = Math.min(options.topK, inputs.k.shape[2] as number);
  expect(keys.shape).toEqual([...inputs.k.shape.slice(0, 2), inputs.centroids.shape[1], count]);
  expect([...(await assignment.data())]).toEqual(expected.assignment);
  expect([...(await keys.data())]).toEqual(expected.keys);
}

describeOnBackends(
  'dynamic groups on the GPU',
  () => {
    beforeEach(() => setKernelMode('fused'));
    afterEach(() => setKernelMode('auto'));

    it.each<[string, { heads?: [number, number]; N: number; L: number; d: number; G: number; topK: number }]>([
      ['one of everything', { heads: [1, 1], N: 1, L: 1, d: 1, G: 1, topK: 1 }],
      ['odd sizes, several samples and heads', { heads: [2, 3], N: 7, L: 11, d: 5, G: 3, topK: 4 }],
      ['more groups than a tile, than queries, and than keys', { N: 5, L: 9, d: 4, G: 37, topK: 3 }],
      ['more tokens than a workgroup has invocations', { N: 67, L: 300, d: 17, G: 16, topK: 98 }],
      ['more keys wanted than there are', { N: 3, L: 6, d: 3, G: 2, topK: 10 }],
      ['one group', { N: 9, L: 70, d: 33, G: 1, topK: 69 }],
      ['as many keys as a large feature map has', { heads: [1, 1], N: 3, L: 12_544, d: 4, G: 2, topK: 98 }],
    ])('chooses as the definition does, ties included: %s', async (_, { heads = [1, 2], N, L, d, G, topK }) => {
      const inputs = {
        q: integers([...heads, N, d], 1),
        k: integers([...heads, L, d], 2),
        centroids: integers([heads[1], G, d], 3),
      };
      await expectSame(inputs, { topK });
    });

    it('normalizes queries for the nearest centroid, and keys where it is told to', async () => {
      // Norms of 1, 2, 4: dividing by them is exact, and so are ties.
      const axes = (shape: readonly number[], seed: number) => {
        const rng = new Rng(seed);
        const rows = Array.from({ length: 200 }, () => [rng.int(0, 4), rng.shuffle([-1, 1, 2, 4])[0] as number]);
        return fill(shape, (b, h, i, c) => {
          const [axis, value] = rows[((b as number) * 2 + (h as number)) * 30 + (i as number)] as [number, number];
          return axis === c ? value : 0;
        });
      };
      const inputs = { q: axes([2, 2, 20, 5], 1), k: axes([2, 2, 30, 5], 2), centroids: integers([2, 18, 5], 3) };
      await expectSame(inputs, { topK: 7, assign: 'euclid', normalizeKeys: true });
      await expectSame(inputs, { topK: 7, assign: 'euclid' });
      const random = { q: sample([1, 2, 50, 9], 1), k: sample([1, 2, 40, 9], 2), centroids: sample([2, 6, 9], 3) };
      await expectSame(random, { topK: 8, assign: 'euclid', normalizeKeys: true });
      // Zero has no direction: all of its scores are 0.
      const zero = { ...random, q: fill([1, 2, 50, 9], () => 0), k: fill([1, 2, 40, 9], () => 0) };
      await expectSame(zero, { topK: 8, assign: 'euclid', normalizeKeys: true });
    });

    it('puts NaN below all scores, and never leaves the range of indices', async () => {
      const values = [2, Number.NaN, Number.NEGATIVE_INFINITY, 1, Number.POSITIVE_INFINITY, Number.NaN, -3e38, -0, 0];
      const k = tf.tensor4d(values, [1, 1, values.length, 1]);
      const q = tf.tensor4d(values, [1, 1, values.length, 1]);
      const centroids = tf.tensor3d([1, -1, Number.NaN], [1, 3, 1]);
      const order = [4, 0, 3, 7, 8, 6, 2, 1, 5];
      for (const topK of [1, 2, 4, 5, 7, 8, 9]) {
        const { assignment, keys } = dynamicGroups(q, k, centroids, { topK });
        const [first, , last] = (await tf.reshape(keys, [3, topK]).array()) as [number[], number[], number[]];
        expect(first).toEqual(order.slice(0, topK).sort((a, b) => a - b));
        // All of its scores are NaN, hence equal.
        expect(last).toEqual(Array.from({ length: topK }, (_, i) => i));
        expect([...(await assignment.data())]).toEqual([0, 0, 1, 0, 0, 0, 1, 0, 0]);
      }
    });

    it('takes 0 and -0 for equal', async () => {
      // Of the first key, what is left after the division is too small a number for float32: -0.
      const k = tf.tensor4d([-1, 1e18, 0, 1e18], [1, 1, 2, 2]);
      const { keys } = dynamicGroups(k, k, tf.tensor3d([1e-30, 0], [1, 1, 2]), { topK: 1, normalizeKeys: true });
      expect([...(await keys.data())]).toEqual([0]);
    });

    it('selects the largest of any numbers', async () => {
      const word = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 0x01010101, -0x80000000, 0x7fffffff, 255, 256));
      const rows = fc.integer({ min: 1, max: 600 }).chain((length) =>
        fc.record({
          scores: fc.array(word, { minLength: length, maxLength: length }),
          count: fc.integer({ min: 1, max: length }),
        }),
      );
      const property = fc.asyncProperty(rows, async ({ scores, count }) => {
        const x = tf.tensor2d(Int32Array.from(scores), [1, scores.length], 'int32');
        const found = tf.tidy(() => runFlat(selectProgram(1, scores.length, count), [x])[0] as tf.Tensor);
        expect([...(await found.data())]).toEqual(largest(Uint32Array.from(scores), count));
        tf.dispose([x, found]);
      });
      await fc.assert(property, { numRuns: 40 });
    });

    it('scores no more heads at once than a binding can hold', async () => {
      const [G, L] = [3, 20];
      const tensors = {
        q: tensor(integers([3, 2, 5, 4], 1)),
        k: tensor(integers([3, 2, L, 4], 2)),
        centroids: tensor(integers([2, G, 4], 3)),
      };
      const run = (limit?: number) => {
        const attributes = { topK: 6, assign: 'dot', normalizeKeys: false, ...(limit === undefined ? {} : { limit }) };
        return tf.engine().runKernel(DYNAMIC_GROUPS, tensors, attributes) as unknown as [tf.Tensor, tf.Tensor];
      };
      const [, whole] = run();
      const ofHead = 4 * G * L;
      for (const limit of [ofHead, 4 * ofHead + 3]) {
        expect([...(await run(limit)[1].data())]).toEqual([...(await whole.data())]);
      }
      expect(() => run(ofHead - 1)).toThrow(ShapeError);
      expect(() => run(ofHead - 1)).toThrow(/^k: expected at most 239 bytes .* got 240 bytes/);
    });

    it('leaves its result only', async () => {
      const [q, k] = [tensor<tf.Tensor4D>(sample([1, 2, 9, 4], 1)), tensor<tf.Tensor4D>(sample([1, 2, 9, 4], 2))];
      const centroids = tensor<tf.Tensor3D>(sample([2, 3, 4], 3));
      await expectNoLeak(() => Object.values(dynamicGroups(q, k, centroids, { topK: 4 })));
    });
  },
  { backends: ['webgpu'] },
);
