import { attention, ConfigError, l2Normalize, mergeHeads, ShapeError, splitHeads } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DynamicGroupAttentionOptions, dynamicGroupAttention } from './dynamicGroupAttention.ts';
import { groupMaps } from './maps.ts';
import { type Problem, type ProblemTensors, problem, reference, reordered, tensors } from './testing/problem.ts';

const scales = (...logarithms: number[]) => tf.tensor3d(logarithms, [logarithms.length, 1, 1]);
const attend = ({ q, k, v, centroids }: ProblemTensors, options: DynamicGroupAttentionOptions) =>
  dynamicGroupAttention(q, k, v, centroids, options);
const choices = async (x: ProblemTensors, options: DynamicGroupAttentionOptions) => {
  const { assignment, keys } = groupMaps(x.q, x.k, x.centroids, options);
  const sorted = ((await keys.array()) as number[][][][]).map((heads) =>
    heads.map((groups) => groups.map((own) => own.sort((a, b) => a - b))),
  );
  return { assignment: (await assignment.array()) as number[][][], keys: sorted };
};

/** Small problems, none of whose decisions is so narrow that rounding could turn it. */
const problems = fc
  .record({
    batch: fc.integer({ min: 1, max: 2 }),
    tokens: fc.integer({ min: 1, max: 12 }),
    heads: fc.integer({ min: 1, max: 2 }),
    size: fc.integer({ min: 1, max: 4 }),
    groups: fc.integer({ min: 1, max: 4 }),
    topK: fc.integer({ min: 1, max: 14 }),
    seed: fc.nat(),
  })
  .map(({ topK, ...sizes }) => ({ made: problem(sizes), topK }))
  .filter(({ made, topK }) => reference(made, { topK }).margin > 1e-3);

const forAll = (check: (made: Problem, topK: number) => Promise<void>) =>
  fc.assert(
    fc.asyncProperty(problems, ({ made, topK }) => check(made, topK)),
    { numRuns: 12, seed: 3 },
  );

describeOnBackends('dynamicGroupAttention', () => {
  it.each([
    { attention: 'dot', assign: 'dot' },
    { attention: 'dot', assign: 'euclid' },
    { attention: 'cosine', assign: 'dot' },
    { attention: 'cosine', assign: 'euclid' },
  ] as const)('is its formula, and decides as it: %j', async (kind) => {
    const made = problem({ seed: 4 });
    const logitScale = [2, Math.log(120)];
    const options = { ...kind, topK: 6, heads: 2 };
    const expected = reference(made, { ...options, logitScale });
    expect(expected.margin).toBeGreaterThan(1e-3);
    const given = kind.attention === 'cosine' ? { ...options, logitScale: scales(...logitScale) } : options;
    const x = tensors(made);
    await expectClose(attend(x, given), expected.y, { tolerance: kind.attention === 'cosine' ? 3e-5 : 1e-5 });
    expect(await choices(x, given)).toEqual({ assignment: expected.assignment, keys: expected.keys });
    await expectNoLeak(() => attend(x, given));
  });

  it.each(['dot', 'cosine'] as const)('has the gradients of finite differences: %s', async (kind) => {
    const made = problem({ batch: 1, tokens: 4, size: 2, groups: 2, seed: 371 });
    const logitScale = [0.5, 0.8];
    // No difference of one step crosses a decision.
    expect(reference(made, { attention: kind, topK: 2, logitScale }).margin).toBeGreaterThan(0.1);
    const { q, k, v, centroids } = tensors(made);
    const options = { heads: 2, topK: 2, attention: kind };
    const f = (...[q, k, v, logitScale]: tf.Tensor[]) => {
      const scale = logitScale ? { logitScale } : {};
      return attend({ q, k, v, centroids } as ProblemTensors, { ...options, ...scale });
    };
    const inputs = kind === 'cosine' ? [q, k, v, scales(...logitScale)] : [q, k, v];
    await finiteDifference(f, inputs, { names: ['q', 'k', 'v', 'logitScale'] });
  });

  it('with as many keys as tokens, or more, is attention between all', async () => {
    const x = tensors(problem());
    const [q, k, v] = [x.q, x.k, x.v].map((one) => splitHeads(one, 2)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    for (const topK of [20, 98]) {
      await expectClose(attend(x, { heads: 2, topK }), mergeHeads(attention(q, k, v)));
    }
    const logitScale = scales(1, 2);
    const all = attention(tf.mul(l2Normalize(q), tf.exp(logitScale)), l2Normalize(k), v, { scale: 1 });
    await expectClose(attend(x, { heads: 2, attention: 'cosine', logitScale }), mergeHeads(all));
  });

  it('with one group gives all queries of a head the same keys', async () => {
    const made = problem({ groups: 1, tokens: 9 });
    const { keys } = reference(made, { topK: 3 });
    const x = tensors(made);
    const maps = groupMaps(x.q, x.k, x.centroids, { heads: 2, topK: 3, queries: [0, 4, 8] });
    const weights = (await (maps.attention as tf.Tensor4D).array()) as number[][][][];
    const attended = weights.map((heads) =>
      heads.map((queries) => queries.map((row) => row.flatMap((weight, l) => (weight > 0 ? [l] : [])))),
    );
    expect(attended).toEqual(keys.map((heads) => heads.map(([own]) => [own, own, own])));
  });

  it('has more groups than tokens, most of them empty, without harm', async () => {
    const made = problem({ tokens: 3, groups: 11 });
    await expectClose(attend(tensors(made), { heads: 2, topK: 2 }), reference(made, { topK: 2 }).y);
  });

  it('gives scales above 100 the value 100 and no gradient', async () => {
    const x = tensors(problem({ seed: 4 }));
    const y = (logitScale: tf.Tensor) => attend(x, { heads: 2, topK: 6, attention: 'cosine', logitScale });
    await expectClose(y(scales(4, 5)), y(scales(4, Math.log(100))));
    const gradient = await tf
      .grad((s) => tf.sum(tf.square(y(s))))(scales(4, 5))
      .data();
    expect(gradient[0]).not.toBe(0);
    expect(gradient[1]).toBe(0);
  });

  it('gives keys that no query of theirs can see gradients of exactly zero', async () => {
    const made = problem({ batch: 1, heads: 1, seed: 8 });
    const { assignment, keys } = reference(made, { topK: 3 });
    const seen = new Set(assignment[0]![0]!.flatMap((group) => keys[0]![0]![group]!));
    expect(seen.size).toBeLessThan(20);
    const { q, k, v, centroids } = tensors(made);
    const gradients = tf.grads((k, v) =>
      tf.square(attend({ q, k, v, centroids } as ProblemTensors, { heads: 1, topK: 3 })),
    )([k, v]);
    for (const gradient of gradients) {
      const rows = (await tf.max(tf.abs(gradient), -1).array()) as number[][];
      expect(new Set(rows[0]!.flatMap((largest, l) => (largest === 0 ? [] : [l])))).toEqual(seen);
    }
  });
});

// Identities that must hold for all sizes; slow on a software GPU, whose kernels are compared with these elsewhere.
describeOnBackends(
  'identities of dynamicGroupAttention',
  () => {
    it('permuted tokens give a permuted result', () =>
      forAll(async (made, topK) => {
        const x = tensors(made);
        const order = Array.from({ length: made.tokens }, (_, i) => (i * 5 + 2) % made.tokens);
        if (new Set(order).size < made.tokens) return;
        const [q, k, v] = [x.q, x.k, x.v].map((one) => reordered(one, order));
        const moved = attend({ ...x, q, k, v } as ProblemTensors, { heads: made.heads, topK });
        await expectClose(moved, reordered(attend(x, { heads: made.heads, topK }), order));
      }));

    it('permuted centroids change nothing', () =>
      forAll(async (made, topK) => {
        const x = tensors(made);
        const order = Array.from({ length: made.groups }, (_, i) => made.groups - 1 - i);
        const turned = { ...x, centroids: reordered(x.centroids, order) };
        await expectClose(attend(turned, { heads: made.heads, topK }), attend(x, { heads: made.heads, topK }));
      }));

    it('a longer centroid keeps its keys, and may win other queries', async () => {
      let moved = 0;
      await forAll(async (made, topK) => {
        const x = tensors(made);
        const factors = Float32Array.from({ length: made.groups }, (_, g) => (g === 0 ? 3 : 1));
        const scaled = { ...x, centroids: tf.mul(x.centroids, tf.tensor3d(factors, [1, made.groups, 1])) };
        const options = { heads: made.heads, topK };
        const [before, after] = [await choices(x, options), await choices(scaled as ProblemTensors, options)];
        expect(after.keys).toEqual(before.keys);
        moved += before.assignment.flat(2).filter((group, i) => group !== after.assignment.flat(2)[i]).length;
      });
      expect(moved).toBeGreaterThan(0);
    });

    it('the length of a query does not decide its group, nor the cosine', () =>
      forAll(async (made, topK) => {
        const x = tensors(made);
        const options = { heads: made.heads, topK };
        const longer = { ...x, q: tf.mul(x.q, 7) as tf.Tensor3D };
        expect((await choices(longer, options)).assignment).toEqual((await choices(x, options)).assignment);
        const logitScale = tf.fill([made.heads, 1, 1], 1);
        const cosine = { ...options, attention: 'cosine', logitScale } as const;
        if (reference(made, { ...cosine, logitScale: [1, 1] }).margin < 1e-3) return;
        const both = { ...longer, k: tf.mul(x.k, 0.2) as tf.Tensor3D };
        await expectClose(attend(both, cosine), attend(x, cosine), { tolerance: 3e-5 });
      }));
  },
  { backends: ['cpu', 'wasm'] },
);

describeOnBackends(
  'what dynamicGroupAttention refuses',
  () => {
    it('what does not fit', () => {
      const x = tensors(problem({ tokens: 3 }));
      expect(() => attend({ ...x, k: tf.zeros([2, 4, 8]) }, { heads: 2 })).toThrow(ShapeError);
      expect(() => attend(x, { heads: 3 })).toThrow(ConfigError);
      expect(() => attend(x, { heads: 4 })).toThrow('centroids: expected shape [4,G,2], got [2,5,4].');
      expect(() => attend(x, { heads: 2, topK: 0 })).toThrow('topK: expected an integer >= 1, got 0.');
      expect(() => attend(x, { heads: 2, attention: 'cosine' })).toThrow('logitScale');
      expect(() => attend(x, { heads: 2, attention: 'cosine', logitScale: scales(1) })).toThrow(ShapeError);
      expect(() => attend(x, { heads: 2, attention: 'soft' as 'dot' })).toThrow('attention');
    });
  },
  { backends: ['cpu'] },
);
