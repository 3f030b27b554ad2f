import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { ShapeError } from './errors.ts';
import {
  batchNormInference,
  batchNormTraining,
  type ChannelStatistics,
  channelStatistics,
  layerNorm,
} from './normalization.ts';
import { at, type Dense, fill, sample, sum, tensor } from './testing/reference.ts';

const EPS = 1e-3;
const [gamma, beta] = [sample([5], 1, { low: 0.5, high: 2 }), sample([5], 2)];

/** Mean and biased variance of `count` values. */
function moments(count: number, value: (i: number) => number): { mean: number; variance: number } {
  const mean = sum(count, value) / count;
  return { mean, variance: sum(count, (i) => (value(i) - mean) ** 2) / count };
}

function normalized(x: number, { mean, variance }: { mean: number; variance: number }, channel: number): number {
  return ((x - mean) / Math.sqrt(variance + EPS)) * at(gamma, channel) + at(beta, channel);
}

/** By definition, on rows [M, 5]. */
function layerNormReference(rows: Dense): Dense {
  return fill(rows.shape, (i, c) => normalized(at(rows, i as number, c as number), moments(5, (k) => at(rows, i as number, k)), c as number)); // biome-ignore format: one formula
}

function batchNormReference(rows: Dense): Dense {
  const count = rows.shape[0] as number;
  return fill(rows.shape, (i, c) => normalized(at(rows, i as number, c as number), moments(count, (k) => at(rows, k, c as number)), c as number)); // biome-ignore format: one formula
}

describeOnBackends('layerNorm', () => {
  it('normalises each row', async () => {
    const x = sample([6, 5], 3, { low: -3, high: 5 });
    const y = layerNorm(tf.reshape(tensor(x), [2, 3, 5]), tensor(gamma), tensor(beta), EPS);
    expect(y.shape).toEqual([2, 3, 5]);
    await expectClose(y, layerNormReference(x).data);
  });

  it('keeps its digits far from zero', async () => {
    const x = sample([2, 5], 4, { low: 1000, high: 1001 });
    // Near 1000, float32 values are 6e-5 apart, a few 1e-4 of their standard deviation.
    await expectClose(layerNorm(tensor(x), tensor(gamma), tensor(beta), EPS), layerNormReference(x).data, {
      tolerance: 1e-3,
    });
  });

  it('has the gradients of x, gamma and beta', async () => {
    await finiteDifference(
      (x, gamma, beta) => layerNorm(x as tf.Tensor, gamma as tf.Tensor1D, beta as tf.Tensor1D, 1e-5),
      [tensor(sample([1, 2, 4], 5)), tensor(sample([4], 6)), tensor(sample([4], 7))],
    );
  });

  it('leaves its result only', async () => {
    const [x, g, b] = [tensor(sample([2, 5], 8)), tensor<tf.Tensor1D>(gamma), tensor<tf.Tensor1D>(beta)];
    await expectNoLeak(() => layerNorm(x, g, b, EPS));
    await expectNoLeak(() => tf.grads((x) => layerNorm(x as tf.Tensor, g, b, EPS))([x]));
  });
});

describeOnBackends('batchNorm', () => {
  const x = sample([6, 5], 9, { low: -3, high: 5 });

  it('measures mean and biased variance of each channel', async () => {
    const { mean, variance } = channelStatistics(tf.reshape(tensor(x), [1, 2, 3, 5]));
    const expected = Array.from({ length: 5 }, (_, c) => moments(6, (i) => at(x, i, c)));
    await expectClose(mean, expected.map((m) => m.mean)); // biome-ignore format: a pair
    await expectClose(variance, expected.map((m) => m.variance)); // biome-ignore format: a pair
  });

  it('normalises by the statistics of the batch in training', async () => {
    const map = tf.reshape(tensor(x), [3, 2, 1, 5]);
    const y = batchNormTraining(map, tensor(gamma), tensor(beta), channelStatistics(map), EPS);
    expect(y.shape).toEqual([3, 2, 1, 5]);
    await expectClose(y, batchNormReference(x).data);
  });

  it('normalises by given statistics in evaluation', async () => {
    const [mean, variance] = [sample([5], 10), sample([5], 11, { low: 0.1, high: 2 })];
    const expected = fill([6, 5], (i, c) => {
      const statistics = { mean: at(mean, c as number), variance: at(variance, c as number) };
      return normalized(at(x, i as number, c as number), statistics, c as number);
    });
    const statistics = { mean: tensor<tf.Tensor1D>(mean), variance: tensor<tf.Tensor1D>(variance) };
    const clip = tf.reshape(tensor(x), [1, 2, 1, 3, 5]);
    const y = batchNormInference(clip, tensor(gamma), tensor(beta), statistics, EPS);
    expect(y.shape).toEqual([1, 2, 1, 3, 5]);
    await expectClose(y, expected.data);
  });

  it('has a gradient that knows how the statistics depend on x', async () => {
    await finiteDifference(
      (x, gamma, beta) => {
        const statistics = channelStatistics(x as tf.Tensor);
        return batchNormTraining(x as tf.Tensor, gamma as tf.Tensor1D, beta as tf.Tensor1D, statistics, 1e-5);
      },
      [tensor(sample([2, 2, 2], 12)), tensor(sample([2], 13)), tensor(sample([2], 14))],
    );
  });

  it('has gradients in evaluation too', async () => {
    const statistics = { mean: tf.tensor1d([0.2, -0.4]), variance: tf.tensor1d([0.5, 2]) };
    await finiteDifference(
      (x, gamma, beta) =>
        batchNormInference(x as tf.Tensor, gamma as tf.Tensor1D, beta as tf.Tensor1D, statistics, EPS),
      [tensor(sample([2, 2], 15)), tensor(sample([2], 16)), tensor(sample([2], 17))],
    );
  });

  it('leaves its result only', async () => {
    const [map, g, b] = [tensor(x), tensor<tf.Tensor1D>(gamma), tensor<tf.Tensor1D>(beta)];
    await expectNoLeak(() => ({ ...channelStatistics(map) }));
    const statistics = channelStatistics(map);
    await expectNoLeak(() => batchNormTraining(map, g, b, statistics, EPS));
    await expectNoLeak(() => batchNormInference(map, g, b, statistics, EPS));
  });
});

describeOnBackends(
  'what normalisations refuse',
  () => {
    it('weights of another size', () => {
      const x = tf.ones([2, 3]);
      expect(() => layerNorm(x, tf.ones([4]), tf.ones([3]), EPS)).toThrow(ShapeError);
      expect(() => layerNorm(x, tf.ones([3]), tf.ones([1]), EPS)).toThrow(ShapeError);
      const statistics = { mean: tf.zeros([3]), variance: tf.ones([4]) } as unknown as ChannelStatistics;
      expect(() => batchNormInference(x, tf.ones([3]), tf.ones([3]), statistics, EPS)).toThrow(/^variance: .*\[3\]/);
      expect(() => batchNormTraining(x, tf.ones([2]), tf.ones([3]), statistics, EPS)).toThrow(/^gamma: .*\[3\]/);
    });
  },
  { backends: ['cpu'] },
);
