import { dgAttention } from '@saccade/dg-attention';
import { cosineAttention } from '@saccade/nn';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDgt, picoDgtConfig } from './index.ts';
import { noise } from './testing/tiny.ts';

beforeAll(async () => {
  await setupBackend('wasm');
});

describe('training a small DGT on wasm', () => {
  it.each([
    ['step', 'pre', 'random'],
    ['literal', 'post', 'queries'],
  ] as const)(
    'learns its images with moving centroids, and leaks nothing: %s, %s-norm',
    async (ema, normOrder, init) => {
      const attention = normOrder === 'post' ? 'cosine' : 'dot';
      const mixer = dgAttention({ groups: 4, topK: 8, attention, ema, init, tauFactor: 1 });
      const config = picoDgtConfig(mixer, { inputSize: [12, 12], normOrder, numClasses: 2, dropPath: 0.1, seed: 1 });
      const [first] = config.mixers;
      const mixers = normOrder === 'post' ? [first!, cosineAttention()] : config.mixers;
      using model = createDgt({ ...config, mixers });
      const weights = [...model.namedParameters().values()].map(({ variable }) => variable);
      const images = noise([8, 12, 12, 1], 3);
      const labels = tf.oneHot([0, 1, 1, 0, 0, 1, 0, 1], 2);
      const learningRate = 0.05;
      const centroids = async () => (await model.stateDict()).get('stages.0.0.attn.centroids')!.data as Float32Array;
      const start = await centroids();

      const step = async () => {
        const loss = tf.tidy(() => {
          const { value, grads } = tf.variableGrads(() => {
            const logProbabilities = tf.logSoftmax(model.forward(images));
            return tf.neg(tf.mean(tf.sum(tf.mul(logProbabilities, labels), -1))) as tf.Scalar;
          }, weights);
          for (const weight of weights) weight.assign(tf.sub(weight, tf.mul(grads[weight.name]!, learningRate)));
          return value;
        });
        model.afterStep({ learningRate });
        const [value] = await loss.data();
        loss.dispose();
        return value!;
      };

      const before = await step();
      const memory = tf.memory();
      let after = before;
      for (let i = 0; i < 25; i++) after = await step();
      const { numTensors, numBytes } = tf.memory();
      expect([numTensors, numBytes]).toEqual([memory.numTensors, memory.numBytes]);
      expect(before).toBeGreaterThan(0.5);
      expect(after).toBeLessThan(before / 4);
      const end = await centroids();
      expect(end.some((value, i) => Math.abs(value - start[i]!) > 0.01)).toBe(true);
      expect(end.every(Number.isFinite)).toBe(true);
      tf.dispose([images, labels]);
    },
  );
});
