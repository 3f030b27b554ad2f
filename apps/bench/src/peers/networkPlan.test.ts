import { createModel, createResNet, createVisionTransformer, type VisionTransformerConfig } from '@saccade/backbones';
import { structSA } from '@saccade/structsa';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { type PeerWeights, planNetwork } from './networkPlan.ts';

const NO_DATA = new Float32Array();

/** The names and shapes of a network, without its numbers. */
function weightsOf(model: {
  stateShapes(): ReadonlyMap<string, { readonly shape: readonly number[] }>;
  dispose(): void;
}): PeerWeights {
  const shapes = model.stateShapes();
  model.dispose();
  return new Map([...shapes].map(([key, { shape }]) => [key, { shape, data: NO_DATA }]));
}

const vit = (change: Partial<VisionTransformerConfig> = {}) =>
  weightsOf(
    createVisionTransformer({
      gridRank: 2,
      inputSize: [32, 48],
      patch: { kernel: [16, 16] },
      dim: 128,
      depth: 2,
      pooling: 'token',
      numClasses: 10,
      ...change,
    }),
  );

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('planNetwork', () => {
  it('reads what a vision transformer is from its weights', () => {
    const shape = { channels: 3, patch: [16, 16], dim: 128, depth: 2, heads: 2, hidden: 512, classes: 10 };
    const plan = { kind: 'vit', ...shape, tokens: 7, classToken: true };
    expect(planNetwork(vit(), [1, 3, 32, 48])).toEqual(plan);
    expect(planNetwork(vit({ pooling: 'mean' }), [4, 3, 32, 48])).toEqual({ ...plan, tokens: 6, classToken: false });
    expect(planNetwork(vit(), [1, 3, 64, 48])).toMatch(/7 tokens.*64,48/);
  });

  it('reads what a ResNet is from its weights', () => {
    const weights = weightsOf(createResNet({ depths: [2, 1, 3], width: 8, numClasses: 5 }));
    const plan = { kind: 'resnet', channels: 3, width: 8, depths: [2, 1, 3], classes: 5 };
    expect(planNetwork(weights, [1, 3, 64, 64])).toEqual(plan);
  });

  it.each<[string, () => PeerWeights, readonly number[], RegExp]>([
    ['clips', () => weightsOf(createModel<string>('tsm_resnet_pico')), [1, 8, 1, 32, 32], /clips/],
    ['other attention', () => vit({ mixer: structSA(), pooling: 'mean' }), [1, 3, 32, 48], /have no "blocks\.0\.attn/],
    ['layer scale', () => vit({ layerScale: 0.1 }), [1, 3, 32, 48], /have no "blocks\.0\.ls1\.gamma"/],
    ['a projection without bias', () => vit({ qkvBias: false }), [1, 3, 32, 48], /have "blocks\.0\.attn\.qkv\.bias"/],
    ['heads of another size', () => vit({ dim: 96, headDim: 32 }), [1, 3, 32, 48], /heads of 64 .* 96/],
    [
      'another stem',
      () => weightsOf(createResNet({ depths: [1], width: 4, stem: { kernel: 3, stride: 1, pool: false } })),
      [1, 3, 32, 32],
      /stem of 7x7, not 3x3/,
    ],
    ['other networks', () => new Map([['weight', { shape: [1], data: NO_DATA }]]), [1, 3, 8, 8], /what has "weight"/],
  ])('refuses %s', (_, weights, input, reason) => {
    expect(planNetwork(weights(), input)).toMatch(reason);
  });
});
