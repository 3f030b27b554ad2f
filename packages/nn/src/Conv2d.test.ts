import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Conv2d } from './Conv2d.ts';
import { convCost } from './cost.ts';
import { kaimingNormal, normal } from './initializers.ts';
import { MaxPool2d } from './MaxPool2d.ts';

const rng = () => new Rng(1);

describeOnBackends('Conv2d, MaxPool2d', () => {
  it('convolve with the weight [O, I, kh, kw] of their state dict, and add the bias', async () => {
    using conv = new Conv2d(2, 1, { kernel: [1, 2], stride: 2, padding: [0, 1], rng: rng() });
    conv.loadStateDict(
      new Map([
        // Input 0 with taps 1, 2; input 1 with taps 10, 20.
        ['weight', { dtype: 'float32', shape: [1, 2, 1, 2], data: [1, 2, 10, 20] }],
        ['bias', { dtype: 'float32', shape: [1], data: [1000] }],
      ]),
    );
    // A row of three positions: (1, 2), (3, 4), (5, 6), with a column of zeros on either side.
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 1, 3, 2]);
    const expected = [2 * 1 + 20 * 2, 3 + 2 * 5 + 10 * 4 + 20 * 6].map((y) => 1000 + y);
    await expectClose(conv.forward(x), tf.tensor4d(expected, [1, 1, 2, 1]));
    await expectNoLeak(() => conv.forward(x));
  });

  it('have gradients of their weights', async () => {
    using conv = new Conv2d(1, 2, { kernel: 2, padding: 1, rng: rng() });
    const x = tf.tensor4d([0.5, -1, 2, 0.3, 1.2, -0.7], [1, 2, 3, 1]);
    const weights = [...conv.namedParameters().values()].map(({ variable }) => variable);
    const { grads } = tf.variableGrads(() => tf.sum(conv.forward(x)) as tf.Scalar, weights);
    // Every output position adds one to the bias; every tap meets every value once.
    await expectClose(grads[weights[1]?.name as string] as tf.Tensor, [12, 12]);
    await expectClose(grads[weights[0]?.name as string] as tf.Tensor, tf.fill([2, 2, 1, 2], 2.3));
  });

  it('take the largest value of a window', async () => {
    using pool = new MaxPool2d({ size: 3, stride: 2, padding: 1 });
    const x = tf.tensor4d([-1, -2, -3, -4], [1, 2, 2, 1]);
    await expectClose(pool.forward(x), tf.tensor4d([-1], [1, 1, 1, 1]));
    expect((await pool.stateDict()).size).toBe(0);
  });
});

describeOnBackends(
  'Conv2d',
  () => {
    it('may have no bias, starts as PyTorch does or as it is told', async () => {
      using conv = new Conv2d(8, 16, { kernel: 3, rng: rng() });
      const bound = 1 / Math.sqrt(8 * 9);
      for (const { variable } of conv.namedParameters().values()) {
        const largest = Math.max(...(await variable.data()).map(Math.abs));
        expect(largest).toBeLessThanOrEqual(bound);
        expect(largest).toBeGreaterThan(0.8 * bound);
      }
      using bare = new Conv2d(8, 16, {
        kernel: 3,
        bias: false,
        init: () => new Float32Array(1152).fill(2),
        rng: rng(),
      });
      expect([...(await bare.stateDict()).keys()]).toEqual(['weight']);
      await expectClose(bare.weight.variable, tf.fill([3, 3, 8, 16], 2));
    });

    it('has the parameters that convCost counts', () => {
      for (const bias of [true, false]) {
        using conv = new Conv2d(3, 5, { kernel: [3, 1], bias, rng: rng() });
        const shape = { positions: { input: 20, output: 6 }, channels: { input: 3, output: 5 }, taps: 3 };
        const cost = convCost(shape, bias);
        expect(cost).toEqual({ params: conv.parameterCount(), macs: 6 * 3 * 3 * 5, activationBytes: 4 * (60 + 30) });
      }
    });

    it('refuses what its convolution refuses', () => {
      using conv = new Conv2d(3, 1, { kernel: 3, padding: 1, rng: rng() });
      expect(() => conv.forward(tf.zeros([1, 4, 4, 2]))).toThrow(ShapeError);
      using wide = new Conv2d(3, 1, { kernel: 3, padding: 3, rng: rng() });
      expect(() => wide.forward(tf.zeros([1, 4, 4, 3]))).toThrow(ConfigError);
    });
  },
  { backends: ['cpu'] },
);

describe('initialisers', () => {
  it('normal and kaimingNormal have their deviations', () => {
    const deviation = (values: Float32Array) =>
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    // 10,000 values: the deviation is known to 0.7 %.
    expect(deviation(normal(rng(), 0.3)([100, 100]))).toBeCloseTo(0.3, 2);
    expect(deviation(kaimingNormal(rng(), 27)([100, 100])) / Math.sqrt(2 / 27)).toBeCloseTo(1, 1);
    const mean = normal(rng(), 1)([10_000]).reduce((sum, value) => sum + value, 0) / 10_000;
    expect(Math.abs(mean)).toBeLessThan(0.04);
  });
});
