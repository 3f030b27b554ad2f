import { createResNet, createVisionTransformer, type ResNet, type VisionTransformer } from '@saccade/backbones';
import { Rng } from '@saccade/tensor-ops';
import { expectClose } from '@saccade/vitest-preset';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { networkWeights } from '../../onnx/layers.ts';
import { stirred } from '../../onnx/testing/stirred.ts';
import type { StockForward } from './peersComparison.ts';
import { StockWeights } from './StockWeights.ts';
import { stockDeit, stockResNet } from './stockNetworks.ts';

const deit = () =>
  createVisionTransformer({
    gridRank: 2,
    inputSize: [12, 16],
    patch: { kernel: [4, 4] },
    dim: 128,
    depth: 2,
    pooling: 'token',
    numClasses: 5,
  });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('networks of stock operations', () => {
  it.each<[string, () => VisionTransformer | ResNet, StockForward, number[]]>([
    ['DeiT', deit, stockDeit, [2, 12, 16, 3]],
    ['ResNet', () => createResNet({ depths: [1, 2], width: 8, numClasses: 5 }), stockResNet, [2, 32, 48, 3]],
  ])('%s gives the logits of ours, and keeps nothing but its weights', async (_, create, stock, shape) => {
    const model = await stirred(create());
    const weights = new StockWeights(await networkWeights(model));
    const rng = new Rng(2);
    const x = tf.tensor4d(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => rng.normal()),
      shape as [number, number, number, number],
    );
    const before = tf.memory().numTensors;
    const logits = tf.tidy(() => stock(weights, x));
    const kept = tf.memory().numTensors;
    await expectClose(logits, await model.forward(x).data(), { tolerance: 2e-5 });
    tf.dispose(tf.tidy(() => stock(weights, x)));
    weights.dispose();
    expect(kept).toBeGreaterThan(before + 10);
    // The logits of both networks are left.
    expect(tf.memory().numTensors).toBe(before + 2);
  });

  it('a weight that is not there is an error', () => {
    expect(() => new StockWeights(new Map()).tensor('head.weight')).toThrow(/head\.weight/);
  });
});
