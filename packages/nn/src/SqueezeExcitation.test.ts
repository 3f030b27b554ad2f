import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { Dropout } from './Dropout.ts';
import { squeezeExcitation } from './SqueezeExcitation.ts';

const sample = (shape: readonly number[]) =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) => Math.sin(1.9 * i)),
    [...shape],
  );

const gateOf = (channels: number, reduction: number) =>
  squeezeExcitation({ reduction }).create({ channels, rng: new Rng(1) });

describeOnBackends('squeezeExcitation', () => {
  it('weighs each channel of a frame by what its channels are on average', async () => {
    using gate = gateOf(2, 2);
    gate.loadStateDict(
      new Map([
        ['fc1.weight', { dtype: 'float32', shape: [1, 2, 1, 1], data: [1, -1] }],
        ['fc1.bias', { dtype: 'float32', shape: [1], data: [0.5] }],
        ['fc2.weight', { dtype: 'float32', shape: [2, 1, 1, 1], data: [2, -1] }],
        ['fc2.bias', { dtype: 'float32', shape: [2], data: [0, 1] }],
      ]),
    );
    // Two frames of two positions: means (2, 1), then (-1, 3), whose hidden value is cut at 0.
    const x = tf.tensor5d([1, 0, 3, 2, -2, 3, 0, 3], [1, 2, 1, 2, 2]);
    const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
    const [first, second] = [1.5, 0].map((hidden) => [sigmoid(2 * hidden), sigmoid(1 - hidden)]) as [
      number[],
      number[],
    ];
    const factors = [...first, ...first, ...second, ...second];
    await expectClose(
      gate.forward(x),
      tf.tensor5d(
        [1, 0, 3, 2, -2, 3, 0, 3].map((v, i) => v * factors[i]!),
        x.shape,
      ),
    );
    await expectNoLeak(() => gate.forward(x));
  });

  it('has a gradient', async () => {
    using gate = gateOf(3, 1);
    await finiteDifference((x) => gate.forward(x as tf.Tensor5D), [sample([1, 2, 2, 1, 3])]);
  });
});

describeOnBackends(
  'squeezeExcitation, Dropout',
  () => {
    it('have the parameters that the cost counts, and names that tell them apart', () => {
      for (const [channels, reduction] of [
        [64, 16],
        [6, 4],
        [3, 16],
      ] as const) {
        // biome-ignore format: a list
        using gate = gateOf(channels, reduction);
        const cost = squeezeExcitation({ reduction }).cost({ channels, grid: [8, 7, 5] });
        expect(gate.parameterCount()).toBe(cost.params);
        expect(cost.macs).toBe(8 * 2 * channels * Math.max(1, Math.floor(channels / reduction)));
      }
      expect(squeezeExcitation().name).toBe('se-16');
      expect(() => squeezeExcitation({ reduction: 0 })).toThrow(ConfigError);
    });

    it('refuse maps of other channels, and images', () => {
      using gate = gateOf(4, 2);
      expect(() => gate.forward(tf.zeros([1, 2, 3, 3, 5]))).toThrow(ShapeError);
      expect(() => gate.forward(tf.zeros<tf.Rank>([1, 3, 3, 4]) as tf.Tensor5D)).toThrow(/^x: .*\[B,T,H,W,4\]/);
    });

    it('drop values one by one, and divide the others by the keep probability', async () => {
      using drop = new Dropout(0.25, new Rng(1));
      const x = tf.ones([40, 50]);
      const values = await drop.forward(x).data();
      expect(new Set(values)).toEqual(new Set([0, Math.fround(4 / 3)]));
      // Four standard deviations of a binomial(2000, 1/4).
      const dropped = values.filter((value) => value === 0).length;
      expect(Math.abs(dropped - 500)).toBeLessThan(4 * Math.sqrt((2000 * 3) / 16));
      using again = new Dropout(0.25, new Rng(1));
      await expectClose(again.forward(x), values, { tolerance: 0 });
      await expectNoLeak(() => again.forward(x));
      expect(drop.eval().forward(x)).toBe(x);
      using never = new Dropout(0, new Rng(1));
      expect(never.forward(x)).toBe(x);
      for (const rate of [1, -0.1, Number.NaN])
        expect(() => new Dropout(rate, new Rng(1))).toThrow(/^dropout: .*\[0, 1\)/);
    });
  },
  { backends: ['wasm'] },
);
