import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attention, attentionWeights } from './attention.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { setKernelMode } from './kernelMode.ts';
import { at, type Dense, fill, sample, sum, tensor } from './testing/reference.ts';

/** The attention weights [D, B, h, N, L] by their definition: one softmax over d and j together. */
function weightsReference(q: Dense, keys: readonly Dense[], scale: number): Dense {
  const [batch, heads, queries, size] = q.shape as [number, number, number, number];
  const length = (keys[0] as Dense).shape[2] as number;
  const score = (d: number, b: number, h: number, i: number, j: number) =>
    scale * sum(size, (e) => at(q, b, h, i, e) * at(keys[d] as Dense, b, h, j, e));
  return fill([keys.length, batch, heads, queries, length], (...[d, b, h, i, j]) => {
    const own = score(d as number, b as number, h as number, i as number, j as number);
    // 1 / sum of exp(other - own): no exponential of a large number stands alone.
    return (
      1 /
      sum(keys.length, (e) => sum(length, (k) => Math.exp(score(e, b as number, h as number, i as number, k) - own)))
    );
  });
}

function reference(q: Dense, keys: readonly Dense[], values: readonly Dense[], scale: number): Dense {
  const weights = weightsReference(q, keys, scale);
  const [sets, batch, heads, queries, length] = weights.shape as [number, number, number, number, number];
  const size = (values[0] as Dense).shape[3] as number;
  return fill([batch, heads, queries, size], (...[b, h, i, f]) =>
    sum(sets, (d) =>
      sum(length, (j) => {
        const value = at(values[d] as Dense, b as number, h as number, j, f as number);
        return at(weights, d, b as number, h as number, i as number, j) * value;
      }),
    ),
  );
}

/** B = 2, h = 2, N = 3, L = 5, e = 4, f = 3. */
const q = sample([2, 2, 3, 4], 1, { low: -2, high: 2 });
const keys = [2, 3, 4].map((seed) => sample([2, 2, 5, 4], seed, { low: -2, high: 2 }));
const values = [5, 6, 7].map((seed) => sample([2, 2, 5, 3], seed));
const tensors = (sets: readonly Dense[]) => sets.map((set) => tensor<tf.Tensor4D>(set));

const attentionTests = () => {
  it.each([1, 2, 3])('is one softmax over the entries of all of %i sets', async (count) => {
    const [k, v] = [keys.slice(0, count), values.slice(0, count)];
    const y = attention(tensor(q), tensors(k), tensors(v));
    expect(y.shape).toEqual([2, 2, 3, 3]);
    await expectClose(y, reference(q, k, v, 1 / 2).data);
  });

  it('takes one set without a list, and a scale', async () => {
    const y = attention(tensor(q), tensor(keys[0] as Dense), tensor(values[0] as Dense), { scale: 2 });
    await expectClose(y, reference(q, keys.slice(0, 1), values.slice(0, 1), 2).data);
  });

  it('gives for D equal sets what one of them gives', async () => {
    const [k, v] = [tensor<tf.Tensor4D>(keys[0] as Dense), tensor<tf.Tensor4D>(values[0] as Dense)];
    await expectClose(attention(tensor(q), [k, k, k], [v, v, v]), attention(tensor(q), k, v));
  });

  it('does not depend on the order of the sets', async () => {
    const [k, v] = [tensors(keys), tensors(values)];
    const turned = <T>(sets: readonly T[]) => [sets[2], sets[0], sets[1]] as T[];
    await expectClose(attention(tensor(q), turned(k), turned(v)), attention(tensor(q), k, v));
  });

  it('picks the value of the largest score where scores are very large', async () => {
    const y = attention(tensor(q), tensors(keys), tensors(values), { scale: 1000 });
    await expectClose(y, reference(q, keys, values, 1000).data, { tolerance: 1e-3 });
    const gradients = tf.grads((q) => attention(q as tf.Tensor4D, tensors(keys), tensors(values), { scale: 1000 }));
    expect((await (gradients([tensor(q)])[0] as tf.Tensor).data()).every(Number.isFinite)).toBe(true);
  });

  it('stays right where one set outweighs the others by thousands', async () => {
    const far = [0, 40, -40].map((shift, d) =>
      fill((keys[d] as Dense).shape, (...i) => at(keys[d] as Dense, ...i) + shift),
    );
    const ones = fill(q.shape, () => 20);
    await expectClose(
      attention(tensor(ones), tensors(far), tensors(values)),
      reference(ones, far, values, 1 / 2).data,
      {
        // Scores of 1,600 in float32 are known to 1e-4, which the exponential turns into a relative error.
        tolerance: 1e-3,
      },
    );
  });

  it.each([1, 2])('has the gradients of q, keys and values: D = %i', async (count) => {
    const sets = Array.from({ length: count }, (_, d) => d);
    await finiteDifference(
      (q, ...kv) => attention(q as tf.Tensor4D, kv.slice(0, count) as tf.Tensor4D[], kv.slice(count) as tf.Tensor4D[]),
      [
        tensor(sample([1, 2, 2, 2], 8)),
        ...sets.map((d) => tensor(sample([1, 2, 3, 2], 9 + d))),
        ...sets.map((d) => tensor(sample([1, 2, 3, 1], 12 + d))),
      ],
    );
  });

  it('adds the gradients of a tensor that is query, key and value', async () => {
    const f = (x: tf.Tensor) => attention(x as tf.Tensor4D, x as tf.Tensor4D, x as tf.Tensor4D, { scale: 1 });
    await finiteDifference(f as (...inputs: tf.Tensor[]) => tf.Tensor, [tensor(sample([1, 1, 3, 2], 14))]);
  });

  it('leaves its result only', async () => {
    const [x, k, v] = [tensor<tf.Tensor4D>(q), tensors(keys), tensors(values)];
    await expectNoLeak(() => attention(x, k, v));
    await expectNoLeak(() => tf.grads((x) => attention(x as tf.Tensor4D, k, v))([x]));
    await expectNoLeak(() => attentionWeights(x, k));
  });
};

describeOnBackends('attention', attentionTests);

// On webgpu, the tests above are those of the fused kernel; the explicit path is its reference, and needs them as well.
describeOnBackends(
  'the explicit path of attention',
  () => {
    beforeAll(() => setKernelMode('explicit'));
    afterAll(() => setKernelMode('auto'));
    attentionTests();
  },
  { backends: ['webgpu'] },
);

describeOnBackends('attentionWeights', () => {
  it('are the weights by definition, and sum to 1 over all sets', async () => {
    const weights = attentionWeights(tensor(q), tensors(keys));
    expect(weights.shape).toEqual([3, 2, 2, 3, 5]);
    await expectClose(weights, weightsReference(q, keys, 1 / 2).data);
    await expectClose(tf.sum(tf.reshape(tf.transpose(weights, [1, 2, 3, 0, 4]), [12, 15]), 1), tf.ones([12]));
  });
});

/**
 * The largest number of bytes that `action` holds at once beside what there was before, as tfjs counts: a reshaped tensor
 * counts like a copy.
 */
async function peakBytes(action: () => tf.TensorContainer): Promise<number> {
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(() => {
    tf.dispose(tf.tidy(action));
    return [];
  });
  return peakBytes - before;
}

describeOnBackends(
  'memory of attention',
  () => {
    /** One map for each of G = 4 heads, N = L = 256 positions. */
    const [groups, size] = [4, 256];
    const map = 4 * groups * size * size;
    const inputs = (count: number) =>
      tf.tidy(() => {
        const one = (seed: number) => tensor<tf.Tensor4D>(sample([1, groups, size, 4], seed));
        return { q: one(1), keys: Array.from({ length: count }, (_, d) => one(d + 2)) };
      });

    it('is less than an N x N x D tensor takes', async () => {
      const { q, keys } = inputs(8);
      expect(await peakBytes(() => attention(q, keys, keys))).toBeLessThan(8 * map);
    });

    it('holds no map per set, forward or backward', async () => {
      const forward = async (count: number) => {
        const { q, keys } = inputs(count);
        return peakBytes(() => attention(q, keys, keys));
      };
      const backward = async (count: number) => {
        const { q, keys } = inputs(count);
        return peakBytes(() => tf.grads((q) => attention(q as tf.Tensor4D, keys, keys))([q]));
      };
      // Four sets more cost a few vectors per position, not the four maps and more that a plain gradient would keep.
      expect((await forward(6)) - (await forward(2))).toBeLessThan(map);
      expect((await backward(6)) - (await backward(2))).toBeLessThan(map);
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends(
  'what attention refuses',
  () => {
    const x = (...shape: number[]) => tf.ones<tf.Rank>(shape) as tf.Tensor4D;

    it('no sets, or as many keys as there are no values', () => {
      expect(() => attention(x(1, 2, 3, 4), [], [])).toThrow(ConfigError);
      expect(() => attention(x(1, 2, 3, 4), [x(1, 2, 5, 4)], [])).toThrow('values: expected 1 sets, as keys, got 0.');
    });

    it('shapes that do not belong together', () => {
      const [q, k] = [x(1, 2, 3, 4), x(1, 2, 5, 4)];
      expect(() => attention(x(2, 3, 4), k, k)).toThrow(ShapeError);
      expect(() => attention(q, x(1, 2, 5, 3), k)).toThrow('keys[0]: expected shape [1,2,L,4], got [1,2,5,3].');
      expect(() => attention(q, [k, x(1, 2, 6, 4)], [k, k])).toThrow(ShapeError);
      expect(() => attention(q, [k, k], [k, x(1, 2, 5, 5)])).toThrow('values[1]');
      expect(() => attentionWeights(q, [x(1, 1, 5, 4)])).toThrow(ShapeError);
    });

    it('a scale that is not finite', () => {
      expect(() => attention(x(1, 1, 1, 1), x(1, 1, 1, 1), x(1, 1, 1, 1), { scale: Number.NaN })).toThrow(ConfigError);
    });
  },
  { backends: ['cpu'] },
);
