import { structSA } from '@saccade/structsa';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createBackbone } from './Backbone.ts';
import { noise } from './testing/tiny.ts';
import { fourStages } from './uniformer.ts';

beforeAll(async () => {
  await setupBackend('wasm');
});

describe('1,000 training steps of a tiny StructViT on wasm', () => {
  it('learn their clips, and leave the number of tensors as it was', async () => {
    const plan = {
      depths: [1, 0, 1, 1],
      dims: [4, 4, 8, 8],
      headDim: 4,
      gridRank: 3,
      mixer: structSA({ detectors: 2 }),
    } as const;
    const model = createBackbone({ ...fourStages(plan), numClasses: 2, mlpRatio: 1, dropPath: 0.1, layerScale: 1 });
    const weights = [...model.namedParameters().values()].map(({ variable }) => variable);
    const clips = noise([4, 2, 32, 32, 3]);
    const labels = tf.oneHot([0, 1, 0, 1], 2);
    const rate = tf.scalar(0.05);

    const step = () =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => {
          const logProbabilities = tf.logSoftmax(model.forward(clips));
          return tf.neg(tf.mean(tf.sum(tf.mul(logProbabilities, labels), -1))) as tf.Scalar;
        }, weights);
        for (const weight of weights) weight.assign(tf.sub(weight, tf.mul(grads[weight.name]!, rate)));
        return value;
      });
    const lossOf = async () => {
      const value = step();
      const [loss] = await value.data();
      value.dispose();
      return loss!;
    };

    const first = await lossOf();
    const before = tf.memory();
    let last = first;
    for (let i = 0; i < 1000; i++) last = await lossOf();
    const after = tf.memory();
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numDataBuffers).toBe(before.numDataBuffers);
    expect(after.numBytes).toBe(before.numBytes);
    expect(first).toBeGreaterThan(0.5);
    expect(last).toBeLessThan(0.05);
  });
});
