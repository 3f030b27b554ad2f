import { ConfigError, Rng } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { lisaAttention } from './lisaAttention.ts';
import { lisaMaps } from './maps.ts';

const options = { grid: [2, 2], heads: 1 } as const;

function tokens(seed: number): tf.Tensor3D {
  const rng = new Rng(seed);
  return tf.tensor3d(
    Float32Array.from({ length: 12 }, () => rng.normal()),
    [1, 4, 3],
  );
}

describeOnBackends('lisaMaps', () => {
  it('holds the weights with which the function sums the values', async () => {
    const [q, k, v] = [tokens(1), tokens(2), tokens(3)];
    const maps = lisaMaps(q, k, { ...options, queries: [3, 1] });
    expect(maps.shape).toEqual([1, 1, 2, 4]);
    const y = lisaAttention(q, k, v, options);
    const chosen = tf.concat(
      [3, 1].map((query) => tf.slice(y, [0, query, 0], [1, 1, 3])),
      1,
    );
    await expectClose(tf.matMul(tf.reshape(maps, [1, 2, 4]), v), chosen);
  });

  it.each([[[]], [[4]], [[-1]], [[0.5]]])('refuses the queries %j', (queries) => {
    expect(() => lisaMaps(tokens(1), tokens(2), { ...options, queries })).toThrow(ConfigError);
  });
});
