import { type MixerSpec, plainAttention } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { setupBackend } from '@saccade/tensor-ops/node';
import { expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createModel,
  type DeiTSize,
  deitConfig,
  dropClassToken,
  listModels,
  modelConfig,
  modelInfo,
  visionTransformerCost,
} from './index.ts';
import { noise } from './testing/tiny.ts';

const mixerOf = (detectors: number): MixerSpec => (detectors === 0 ? plainAttention() : structSA({ detectors }));

describe('parameters and MACs', () => {
  // DeiT's own counts; mean pooling has no class token and no position for it: 2C values less.
  it.each([
    ['ti', 5_717_416, 5_717_032],
    ['s', 22_050_664, 22_049_896],
    ['b', 86_567_656, 86_566_120],
  ] as const)('DeiT-%s has %i parameters, %i with mean pooling', (size: DeiTSize, token, mean) => {
    expect(modelInfo(`deit_${size}`).params).toBe(token);
    expect(modelInfo(`deit_${size}_mean`).params).toBe(mean);
  });

  // Specification section 2.2, in millions and giga as printed there: with class token.
  it.each([
    [1, 22.13, 4.615],
    [2, 22.22, 4.987],
    [4, 22.38, 5.731],
    [8, 22.71, 7.22],
  ])('DeiT-S with StructSA, D = %i: %fM, %fG', (detectors, params, macs) => {
    const cost = visionTransformerCost({ ...deitConfig('s', { mixer: mixerOf(detectors) }), numClasses: 1000 });
    expect(round(cost.params / 1e6, 2)).toBe(params);
    expect(round(cost.macs / 1e9, 3)).toBe(macs);
  });

  // Sections 4.1 and 9: 16 frames, 174 classes.
  it.each([
    [1, 22.8, 57.32],
    [2, 23.05, 80.38],
    [4, 23.55, 126.51],
  ])('DeiT-S for clips with StructSA, D = %i: %fM, %fG', (detectors, params, macs) => {
    const config = deitConfig('s', { gridRank: 3, mixer: mixerOf(detectors) });
    const cost = visionTransformerCost({ ...config, numClasses: 174 });
    expect(round(cost.params / 1e6, 2)).toBe(params);
    expect(round(cost.macs / 1e9, 2)).toBe(macs);
  });

  it('are those of the layers, written out', () => {
    const [C, N, M, D] = [384, 196, 197, 4]; // N positions, M tokens with the class token, D detectors
    const { params, macs } = modelInfo('deit_s_structsa');
    const block = 12 * C * C + (4 + 9) * C + 2 * 9 * C * D; // qkv, proj, fc1, fc2; biases and norms; filters
    expect(params).toBe(16 * 16 * 3 * C + C + C + M * C + 12 * block + 2 * C + 1000 * C + 1000);
    const attention = 2 * M * (N * D + 1) * C + 2 * 9 * C * D * N; // every token looks at D sets of N, and at one more
    expect(macs).toBe(16 * 16 * 3 * C * N + 12 * (12 * M * C * C + attention) + 1000 * C);
  });
});

const round = (value: number, digits: number) => Number(value.toFixed(digits));

describe('named models', () => {
  it('are DeiT with each attention and pooling', () => {
    const sizes = ['ti', 's', 'b'].flatMap((size) =>
      ['', '_convsa', '_structsa'].flatMap((mixer) => ['', '_mean'].map((pooling) => `deit_${size}${mixer}${pooling}`)),
    );
    const clips = ['', '_convsa', '_structsa'].map((mixer) => `deit_s${mixer}_video`);
    expect(listModels('deit*')).toEqual([...sizes, ...clips].sort());
    for (const name of [...sizes, ...clips]) {
      const config = modelConfig(name as 'deit_s');
      const [, size, mixer = ''] = /^deit_(ti|s|b)(_convsa|_structsa)?/.exec(name)!;
      expect(config, name).toMatchObject({
        dim: { ti: 192, s: 384, b: 768 }[size as DeiTSize],
        depth: 12,
        dropPath: 0.1,
        pooling: name.endsWith('_mean') ? 'mean' : 'token',
        mixer: { name: { '': 'attention', _convsa: 'structsa-1-1', _structsa: 'structsa-4-1' }[mixer] },
        ...(name.endsWith('_video')
          ? {
              gridRank: 3,
              inputSize: [16, 224, 224],
              patch: { kernel: [2, 16, 16], temporalStride: 2 },
              numClasses: 174,
            }
          : { gridRank: 2, inputSize: [224, 224], patch: { kernel: [16, 16] }, numClasses: 1000 }),
      });
    }
  });
});

describe('deit_ti', () => {
  beforeAll(async () => {
    await setupBackend('wasm');
  });

  it('is built as its name says; without its class token it is deit_ti_mean', async () => {
    using model = createModel('deit_ti', { numClasses: 10 }).eval();
    expect(model.parameterCount()).toBe(modelInfo('deit_ti', { numClasses: 10 }).params);
    expect(model.clsToken?.torchShape).toEqual([1, 1, 192]);
    expect(model.posEmbed?.torchShape).toEqual([1, 197, 192]);
    const state = await model.stateDict();
    using mean = createModel('deit_ti_mean', { numClasses: 10, seed: 1 }).eval();
    expect(mean.clsToken).toBeUndefined();
    mean.loadStateDict(dropClassToken(state));
    const x = noise([1, 64, 48, 3]);
    const [logits, own] = tf.tidy(() => [model.forward(x), mean.forward(x)]);
    expect([logits!.shape, own!.shape]).toEqual([[1, 10], [1, 10]]); // biome-ignore format: one row
    // The same weights up to the position embedding: the first block's input differs by the class token alone.
    const map = (m: typeof model) => m.patchEmbed.forward(x as tf.Tensor4D);
    await expectClose(map(mean), map(model));
    await expect(expectClose(own!, logits!)).rejects.toThrow();
  });
});
