import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dynamicGroups, type GroupRouting } from './dynamicGroups.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { groupedAttention } from './groupedAttention.ts';
import { routeReference } from './testing/groups.ts';
import { type Dense, sample, tensor } from './testing/reference.ts';

/** Groups as they are, keys of each group in ascending order. */
async function read({ assignment, keys }: GroupRouting) {
  const chosen = (await keys.array()) as number[][][][];
  const sorted = chosen.map((heads) => heads.map((groups) => groups.map((own) => own.sort((a, b) => a - b))));
  return { assignment: (await assignment.array()) as number[][][], keys: sorted };
}

const route = (q: Dense, k: Dense, e: Dense, options: Parameters<typeof dynamicGroups>[3]) =>
  tf.tidy(() => dynamicGroups(tensor(q), tensor(k), tensor(e), options) as GroupRouting & tf.TensorContainerObject);

/** Rows of one head and sample, [1, 1, N, d]. */
const rows = (...values: number[][]) => tf.tensor([[values]]) as tf.Tensor4D;
const centroids = (...values: number[][]) => tf.tensor([values]) as tf.Tensor3D;

describeOnBackends('dynamicGroups', () => {
  // N and L that are no multiples of anything, one of them beyond a block of 64.
  const q = sample([2, 3, 70, 5], 1);
  const k = sample([2, 3, 21, 5], 2);
  const e = sample([3, 9, 5], 3);

  it.each([
    { topK: 4 },
    { topK: 4, assign: 'euclid' },
    { topK: 7, normalizeKeys: true },
    { topK: 20 },
    { topK: 1 },
  ] as const)('finds the groups and keys of its definition: %j', async (options) => {
    const routing = route(q, k, e, options);
    expect(routing.assignment.dtype).toBe('int32');
    expect(routing.keys.dtype).toBe('int32');
    expect(await read(routing)).toEqual(routeReference(q, k, e, options));
  });

  it('takes all keys where topK is larger than their number', async () => {
    const { keys } = await read(route(q, k, e, { topK: 30 }));
    expect(keys[1]?.[2]?.[8]).toEqual(Array.from({ length: 21 }, (_, i) => i));
  });

  it('with one group has every query in it', async () => {
    const routing = await read(route(q, k, sample([3, 1, 5], 4), { topK: 3 }));
    expect(new Set(routing.assignment.flat(2))).toEqual(new Set([0]));
  });

  it('of equal scores takes the first', async () => {
    const same = [1, 2];
    const routing = dynamicGroups(rows(same, same), rows([0, 0], same, same, [0, 0], same), centroids([0, 1], [0, 1]), {
      topK: 2,
    });
    expect(await read(routing)).toEqual({
      assignment: [[[0, 0]]],
      keys: [
        [
          [
            [1, 2],
            [1, 2],
          ],
        ],
      ],
    });
  });

  it('counts 0 and -0 as equal', async () => {
    const { keys } = await read(dynamicGroups(rows([1]), rows([-0], [0], [-1]), centroids([1]), { topK: 1 }));
    expect(keys).toEqual([[[[0]]]]);
  });

  it('puts a query that is not a number into group 0, and takes such a key last', async () => {
    const routing = dynamicGroups(
      rows([Number.NaN, 1], [0, 1]),
      rows([Number.NaN, 0], [-5, -5], [1, 1]),
      centroids([1, 0], [0, 1]),
      { topK: 2 },
    );
    expect(await read(routing)).toEqual({
      assignment: [[[0, 1]]],
      keys: [
        [
          [
            [1, 2],
            [1, 2],
          ],
        ],
      ],
    });
  });

  it('gives places that exist, whatever it is given', async () => {
    const odd = fc.constantFrom(
      0,
      -0,
      1,
      -2,
      1e30,
      -1e30,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    );
    const run = fc.asyncProperty(fc.array(odd, { minLength: 22, maxLength: 22 }), async (values) => {
      const [x, y] = [values.slice(0, 12), values.slice(12, 22)];
      const routing = tf.tidy(
        () =>
          dynamicGroups(tf.tensor(x, [1, 1, 6, 2]), tf.tensor(y, [1, 1, 5, 2]), centroids([1, 0], [0, -1], [1, 1]), {
            topK: 3,
          }) as GroupRouting & tf.TensorContainerObject,
      );
      const { assignment, keys } = await read(routing);
      tf.dispose([routing.assignment, routing.keys]);
      expect(assignment.flat(2).every((group) => [0, 1, 2].includes(group))).toBe(true);
      for (const own of keys.flat(2)) {
        expect(new Set(own).size).toBe(3);
        expect(own.every((key) => [0, 1, 2, 3, 4].includes(key))).toBe(true);
      }
    });
    await fc.assert(run, { numRuns: 20, seed: 5 });
  });

  it('is a constant to gradients that are taken around it', async () => {
    const [x, y, c] = [tensor<tf.Tensor4D>(q), tensor<tf.Tensor4D>(k), tensor<tf.Tensor3D>(e)];
    const fixed = dynamicGroups(x, y, c, { topK: 4 });
    const gradient = (routing: (x: tf.Tensor4D) => GroupRouting) =>
      tf.grad((x) => groupedAttention(x as tf.Tensor4D, y, y, routing(x as tf.Tensor4D)))(x);
    await expectClose(
      gradient((x) => dynamicGroups(x, y, c, { topK: 4 })),
      gradient(() => fixed),
    );
  });

  it('leaves its results only', async () => {
    const [x, y, c] = [tensor<tf.Tensor4D>(q), tensor<tf.Tensor4D>(k), tensor<tf.Tensor3D>(e)];
    await expectNoLeak(() => Object.values(dynamicGroups(x, y, c, { topK: 4 })));
  });
});

describeOnBackends(
  'what dynamicGroups refuses',
  () => {
    const x = (...shape: number[]) => tf.ones(shape);
    const call = (q: tf.Tensor, k: tf.Tensor, e: tf.Tensor, topK = 2, assign = 'dot') =>
      dynamicGroups(q as tf.Tensor4D, k as tf.Tensor4D, e as tf.Tensor3D, { topK, assign: assign as 'dot' });

    it('shapes that do not belong together', () => {
      expect(() => call(x(2, 3, 4), x(1, 2, 3, 4), x(2, 5, 4))).toThrow(ShapeError);
      expect(() => call(x(1, 2, 3, 4), x(1, 2, 3, 5), x(2, 5, 4))).toThrow('k: expected shape [1,2,L,4]');
      expect(() => call(x(1, 2, 3, 4), x(1, 2, 3, 4), x(3, 5, 4))).toThrow('centroids: expected shape [2,G,4]');
    });

    it('no key, no group, and another assignment', () => {
      const inputs = [x(1, 2, 3, 4), x(1, 2, 3, 4), x(2, 5, 4)] as const;
      expect(() => call(...inputs, 0)).toThrow(ConfigError);
      expect(() => call(...inputs, 1.5)).toThrow('topK: expected an integer >= 1, got 1.5.');
      expect(() => call(...inputs, Number.NaN)).toThrow(ConfigError);
      expect(() => call(...inputs, 2, 'nearest')).toThrow('assign');
      expect(() => call(inputs[0], inputs[1], x(2, 0, 4))).toThrow('centroids');
    });
  },
  { backends: ['cpu'] },
);
