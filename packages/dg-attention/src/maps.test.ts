import { ConfigError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { dynamicGroupAttention } from './dynamicGroupAttention.ts';
import { groupMaps } from './maps.ts';
import { problem, tensors } from './testing/problem.ts';

describeOnBackends('groupMaps', () => {
  it.each(['dot', 'cosine'] as const)(
    'hold the weights with which the function sums the values: %s',
    async (attention) => {
      const { q, k, v, centroids } = tensors(problem({ heads: 1 }));
      const scale = attention === 'cosine' ? { logitScale: tf.fill([1, 1, 1], 1.5) } : {};
      const options = { heads: 1, topK: 6, attention, ...scale };
      const maps = groupMaps(q, k, centroids, { ...options, queries: [13, 2] });
      expect(maps.attention?.shape).toEqual([2, 1, 2, 20]);
      const y = dynamicGroupAttention(q, k, v, centroids, options);
      const chosen = tf.gather(y, tf.tensor1d([13, 2], 'int32'), 1);
      await expectClose(tf.matMul(tf.reshape(maps.attention as tf.Tensor, [2, 2, 20]), v), chosen);
    },
  );

  it('leave themselves only, and no attention unless it is asked for', async () => {
    const { q, k, centroids } = tensors(problem());
    await expectNoLeak(() => Object.values(groupMaps(q, k, centroids, { heads: 2, topK: 6, queries: [1] })));
    expect(groupMaps(q, k, centroids, { heads: 2, topK: 6 }).attention).toBeUndefined();
  });

  it.each([[[20]], [[-1]], [[0.5]]])('refuse the queries %j', (queries) => {
    const { q, k, centroids } = tensors(problem());
    expect(() => groupMaps(q, k, centroids, { heads: 2, queries })).toThrow(ConfigError);
  });
});
