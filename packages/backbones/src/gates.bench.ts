import { aia } from '@saccade/aia';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, bench, describe } from 'vitest';
import { ResNetVideo } from './ResNetVideo.ts';
import { tsmConfig } from './resnetModels.ts';

// What Attention-in-Attention costs in a TSM-ResNet-50: `pnpm vitest bench --run packages/backbones`. By its MACs it would be
// 0.4 %; what counts is how often it goes over memory.
describe('TSM-ResNet-50, one clip of 8x224x224, wasm', () => {
  const networks: ResNetVideo[] = [];
  let clip: tf.Tensor5D;

  beforeAll(async () => {
    await setupBackend('wasm');
    clip = tf.randomNormal([1, 8, 224, 224, 3], 0, 1, 'float32', 1);
    for (const options of [{}, { gate: aia() }]) {
      networks.push(new ResNetVideo({ ...tsmConfig(50, options), numClasses: 174 }).eval());
    }
  }, 120_000);

  afterAll(() => {
    for (const network of networks) network.dispose();
  });

  const options = { iterations: 7, time: 0, warmupIterations: 1, warmupTime: 0 };
  ['without a gate', 'with CinST'].forEach((title, i) => {
    bench(
      title,
      async () => {
        const logits = (networks[i] as ResNetVideo).forward(clip);
        await logits.data();
        logits.dispose();
      },
      options,
    );
  });
});
