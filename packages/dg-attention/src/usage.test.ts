import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { groupUsage, usageOfSizes } from './usage.ts';

it('counts the queries of each head over the batch', async () => {
  await setupBackend('cpu');
  const assignment = tf.tensor3d([0, 0, 1, 2, 1, 0, 2, 2], [2, 2, 2], 'int32');
  const keys = tf.zeros([2, 2, 4, 1], 'int32') as tf.Tensor4D;
  const [first, second] = await groupUsage({ assignment, keys });
  expect(first?.sizes).toEqual([3, 1, 0, 0]);
  expect(second?.sizes).toEqual([0, 1, 3, 0]);
  expect(first?.empty).toBe(2);
  expect(first?.entropy).toBeCloseTo(-(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)), 12);
});

it.each([
  [[5, 0, 0], 0, 1],
  [[2, 2, 2, 2], Math.log(4), 4],
  [[0, 0], 0, 1],
])('sizes %j have an entropy of %d', (sizes, entropy, effective) => {
  const usage = usageOfSizes(sizes);
  expect(usage.entropy).toBeCloseTo(entropy, 12);
  expect(usage.effectiveGroups).toBeCloseTo(effective, 12);
});
