import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attention } from './attention.ts';
import type { GroupRouting } from './dynamicGroups.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { groupedAttention } from './groupedAttention.ts';
import { blockwiseAttention } from './groupedBlocks.ts';
import { groupedAttentionWeights, maskedAttention } from './groupedMask.ts';
import { setKernelMode } from './kernelMode.ts';
import { groupedReference, type PlainRouting, routeReference } from './testing/groups.ts';
import { type Dense, sample, tensor } from './testing/reference.ts';

interface Problem {
  readonly q: Dense;
  readonly k: Dense;
  readonly v: Dense;
  readonly routing: PlainRouting;
}

/** Queries N and keys L, G groups of k keys; the groups are those of random centroids, and differ in size. */
function problem({
  batch = 2,
  heads = 2,
  queries = 37,
  length = 37,
  size = 6,
  groups = 5,
  topK = 7,
  seed = 1,
} = {}): Problem {
  const q = sample([batch, heads, queries, size], seed, { low: -2, high: 2 });
  const k = sample([batch, heads, length, size], seed + 1, { low: -2, high: 2 });
  const v = sample([batch, heads, length, size], seed + 2);
  const centroids = sample([heads, groups, size], seed + 3);
  return { q, k, v, routing: routeReference(q, k, centroids, { topK }) };
}

const asTensors = ({ assignment, keys }: PlainRouting): GroupRouting => ({
  assignment: tf.tensor(assignment, undefined, 'int32') as tf.Tensor3D,
  keys: tf.tensor(keys, undefined, 'int32') as tf.Tensor4D,
});
const inputs = ({ q, k, v }: Problem) => [tensor(q), tensor(k), tensor(v)] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];

type Path = (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, routing: GroupRouting, scale: number) => tf.Tensor4D;

/** What must hold on every path. */
function pathTests(path: Path): void {
  // d of 6 and 7 keys: no whole tiles; 8 and 16: whole ones; 70 queries of one group: more than a block.
  it.each([
    {},
    { size: 8, topK: 16, seed: 10 },
    { queries: 70, length: 9, size: 4, groups: 1, topK: 5, seed: 20 },
    { queries: 3, length: 12, groups: 9, topK: 12, seed: 30 },
    { batch: 1, heads: 1, queries: 1, length: 1, size: 1, groups: 1, topK: 1, seed: 40 },
  ])('is attention to the keys of the own group: %j', async (sizes) => {
    const made = problem(sizes);
    const y = path(...inputs(made), asTensors(made.routing), 0.7);
    await expectClose(y, groupedReference(made.q, made.k, made.v, made.routing, 0.7).data);
  });

  it('has the gradients of finite differences', async () => {
    const made = problem({ batch: 1, heads: 2, queries: 4, length: 5, size: 2, groups: 2, topK: 3, seed: 50 });
    const routing = asTensors(made.routing);
    const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      path(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, routing, 0.7);
    await finiteDifference(f as (...x: tf.Tensor[]) => tf.Tensor, inputs(made), { names: ['q', 'k', 'v'] });
  });

  it('has the gradients of the masked form, and zero for keys that nobody selected', async () => {
    const made = problem({ seed: 60 });
    const routing = asTensors(made.routing);
    const [dq, dk, dv] = gradients(path, made, routing);
    const expected = gradients(maskedAttention, made, routing);
    await expectClose(dq as tf.Tensor, expected[0] as tf.Tensor, { tolerance: 5e-5 });
    await expectClose(dk as tf.Tensor, expected[1] as tf.Tensor, { tolerance: 5e-5 });
    await expectClose(dv as tf.Tensor, expected[2] as tf.Tensor, { tolerance: 5e-5 });
    const used = usedKeys(made.routing);
    for (const [name, gradient] of Object.entries({ dk, dv })) {
      const rows = (await tf.max(tf.abs(gradient as tf.Tensor), -1).array()) as number[][][];
      const touched = rows.map((heads) => heads.map((keys) => keys.map((largest) => largest !== 0)));
      expect(touched, name).toEqual(used);
    }
  });

  it('stays right where scores are very large', async () => {
    const made = problem({ seed: 70 });
    const y = path(...inputs(made), asTensors(made.routing), 300);
    // Scores of about 1,000 in float32 are known to 1e-4, which the exponential turns into a relative error.
    await expectClose(y, groupedReference(made.q, made.k, made.v, made.routing, 300).data, { tolerance: 1e-3 });
  });

  it('leaves its result only', async () => {
    const made = problem({ queries: 5, length: 5 });
    const [x, routing] = [inputs(made), asTensors(made.routing)];
    await expectNoLeak(() => path(...x, routing, 1));
    await expectNoLeak(() =>
      tf.grads((q, k, v) => path(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, routing, 1))(x),
    );
  });
}

function gradients(path: Path, made: Problem, routing: GroupRouting): tf.Tensor[] {
  const weights = tf.reshape(tf.sin(tf.range(0, made.q.data.length)), made.q.shape as [number, number, number, number]);
  const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
    tf.sum(tf.mul(path(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, routing, 0.7), weights));
  return tf.grads(f as (...x: tf.Tensor[]) => tf.Tensor)(inputs(made));
}

/** Whether a group with queries has selected the key, [B][h][L]. */
function usedKeys({ assignment, keys }: PlainRouting): boolean[][][] {
  return assignment.map((heads, b) =>
    heads.map((groups, h) => {
      const used = new Set(groups.flatMap((group) => keys[b]![h]![group]!));
      return Array.from({ length: 37 }, (_, l) => used.has(l));
    }),
  );
}

const shipped: Path = (q, k, v, routing, scale) => groupedAttention(q, k, v, routing, { scale });

describeOnBackends('groupedAttention', () => {
  pathTests(shipped);

  it('with all keys in every group is attention between all', async () => {
    const made = problem({ length: 9, topK: 9, queries: 20 });
    await expectClose(groupedAttention(...inputs(made), asTensors(made.routing)), attention(...inputs(made)));
  });

  it('passes on what is not a number to those that see it, and to nobody else', async () => {
    const routing = asTensors({
      assignment: [[[0, 1, 1]]],
      keys: [
        [
          [
            [0, 1],
            [2, 1],
          ],
        ],
      ],
    });
    const x = tf.tensor4d([0.1, Number.NaN, 0.3, 0.4, 0.5, 0.6], [1, 1, 3, 2]);
    const clean = tf.tensor4d([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [1, 1, 3, 2]);
    const finite = async (y: tf.Tensor) => Array.from(await y.data(), Number.isFinite);
    expect(await finite(shipped(x, clean, clean, routing, 1))).toEqual([false, false, true, true, true, true]);
    expect(await finite(shipped(clean, x, clean, routing, 1))).toEqual([false, false, true, true, true, true]);
  });
});

describeOnBackends('the explicit path of groupedAttention: a mask', () => {
  beforeAll(() => setKernelMode('explicit'));
  afterAll(() => setKernelMode('auto'));
  pathTests(shipped);

  it('has weights that sum to 1, and are 0 outside of the group', async () => {
    const made = problem();
    const [q, k, v] = inputs(made);
    const weights = groupedAttentionWeights(q, k, asTensors(made.routing), { scale: 0.7 });
    await expectClose(tf.sum(weights, -1), tf.ones([2, 2, 37]));
    await expectClose(tf.matMul(weights, v), shipped(q, k, v, asTensors(made.routing), 0.7));
    const shares = (await weights.array())[1]?.[0] as number[][];
    const own = made.routing.keys[1]![0]![made.routing.assignment[1]![0]![3]!]!;
    expect(shares[3]!.flatMap((share, l) => (share === 0 ? [] : [l]))).toEqual(own);
  });
});

describeOnBackends(
  'groupedAttention in blocks',
  () => {
    describe('', () => pathTests(blockwiseAttention));
  },
  { backends: ['cpu', 'wasm'] },
);

describeOnBackends(
  'memory of groupedAttention',
  () => {
    it('holds no map of N x L, forward or backward', async () => {
      const made = problem({ batch: 1, heads: 2, queries: 400, length: 400, size: 4, groups: 10, topK: 20 });
      const [x, routing] = [inputs(made), asTensors(made.routing)];
      const map = 4 * 2 * 400 * 400;
      const peak = async (action: () => tf.TensorContainer) => {
        const before = tf.memory().numBytes;
        const { peakBytes } = await tf.profile(() => {
          tf.dispose(tf.tidy(action));
          return [];
        });
        return peakBytes - before;
      };
      const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
        shipped(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, routing, 1);
      expect(await peak(() => f(...x))).toBeLessThan(map / 4);
      expect(await peak(() => tf.grads(f as (...x: tf.Tensor[]) => tf.Tensor)(x))).toBeLessThan(map / 4);
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends(
  'what groupedAttention refuses',
  () => {
    const x = (...shape: number[]) => tf.ones<tf.Rank>(shape) as tf.Tensor4D;
    const make = () => [x(1, 1, 3, 2), x(1, 1, 4, 2)] as const;
    const routing = () =>
      asTensors({
        assignment: [[[0, 1, 1]]],
        keys: [
          [
            [
              [0, 1],
              [2, 3],
            ],
          ],
        ],
      });

    it('shapes and types that do not belong together', () => {
      const [q, k] = make();
      expect(() => groupedAttention(q, x(1, 1, 4, 3), k, routing())).toThrow(ShapeError);
      expect(() => groupedAttention(q, k, x(1, 1, 5, 2), routing())).toThrow('v: expected shape [1,1,4,2]');
      expect(() => groupedAttention(k, k, k, routing())).toThrow('assignment: expected shape [1,1,4]');
      const floats = { ...routing(), keys: tf.cast(routing().keys, 'float32') };
      expect(() => groupedAttention(q, k, k, floats)).toThrow('keys: expected int32, got "float32"');
    });

    it('groups and keys that do not exist, and a scale that is none', () => {
      const [q, k] = make();
      const wrong = (assignment: number[], keys: number[][]) =>
        asTensors({ assignment: [[assignment]], keys: [[keys]] });
      expect(() =>
        groupedAttention(
          q,
          k,
          k,
          wrong(
            [0, 2, 1],
            [
              [0, 1],
              [2, 3],
            ],
          ),
        ),
      ).toThrow(ConfigError);
      expect(() =>
        groupedAttention(
          q,
          k,
          k,
          wrong(
            [0, 1, 1],
            [
              [0, 1],
              [2, 4],
            ],
          ),
        ),
      ).toThrow('keys: expected numbers from 0 to 3, got 4.');
      expect(() =>
        groupedAttention(
          q,
          k,
          k,
          wrong(
            [0, -1, 1],
            [
              [0, 1],
              [2, 3],
            ],
          ),
        ),
      ).toThrow('assignment');
      expect(() => groupedAttention(q, k, k, routing(), { scale: Number.NaN })).toThrow(ConfigError);
    });
  },
  { backends: ['cpu', 'wasm'] },
);
