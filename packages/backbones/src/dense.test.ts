import { plainAttention, WindowedMixer, windowed } from '@saccade/nn';
import { StructSelfAttention, structSA } from '@saccade/structsa';
import { ConfigError, Rng } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createBackbone } from './Backbone.ts';
import { blockMixers } from './config.ts';
import { denseConfig } from './dense.ts';
import { backboneCost, modelConfig } from './index.ts';
import { noise, stir, tinyConfig, tinyStructConfig } from './testing/tiny.ts';

/** The tiny network with five blocks in stage 3. */
const deep = (config = tinyStructConfig(2)) => ({
  ...config,
  stages: config.stages.map((stage, s) => (s === 2 ? { ...stage, depth: 5 } : stage)),
});

const mixerNames = (config: ReturnType<typeof denseConfig>, stage: number) =>
  blockMixers(config.stages[stage]!).map((mixer) => mixer?.name);

describe('denseConfig', () => {
  it('h14 and h32: every 4th block of stage 3 is global, the others work in windows', () => {
    const plain = modelConfig('structvit_s_4_1');
    for (const window of [14, 32]) {
      const local = `structsa-4-1 in ${window}x${window} windows`;
      const config = denseConfig(plain, { window });
      const period = [local, local, local, 'structsa-4-1'];
      expect(mixerNames(config, 2)).toEqual([...period, ...period]);
      expect(mixerNames(config, 3)).toEqual(Array(3).fill('structsa-4-1'));
      expect(config.stages.slice(0, 2)).toEqual(plain.stages.slice(0, 2));
    }
  });

  it('w14 has windows only, and other periods and stages can be chosen', () => {
    const config = modelConfig('uniformer_s');
    expect(mixerNames(denseConfig(config, { window: 14, globalEvery: 0 }), 2)).toEqual(
      Array(8).fill('attention in 14x14 windows'),
    );
    const other = denseConfig(config, { window: [2, 4], globalEvery: 2, stage: 3 });
    expect(mixerNames(other, 3)).toEqual(['attention in 2x4 windows', 'attention', 'attention in 2x4 windows']);
    expect(mixerNames(other, 2)).toEqual(Array(8).fill('attention'));
    const twice = denseConfig(denseConfig(config, { window: 14 }), { window: 7, stage: 3 });
    expect(mixerNames(twice, 2)[0]).toBe('attention in 14x14 windows');
  });

  it('adds the LayerNorms of stages and nothing else to the parameters', () => {
    const config = modelConfig('uniformer_s');
    const [plain, dense] = [
      backboneCost(config, [224, 224]),
      backboneCost(denseConfig(config, { window: 14 }), [224, 224]),
    ];
    expect(dense.params - plain.params).toBe(2 * (64 + 128 + 320 + 512));
    // The grid of stage 3 is one window of 14.
    expect(dense.macs).toBe(plain.macs);
  });

  it('costs as many windows as cover the grid, counted by hand', () => {
    // 800x1344 pixels: stage 3 has 50x84 positions, covered by 4x6 windows of 14.
    const config = modelConfig('uniformer_s');
    const macs = (window: number) => backboneCost(denseConfig(config, { window }), [800, 1344]).macs;
    const full = backboneCost(config, [800, 1344]).macs;
    const attention = (tokens: number) => 4 * tokens * 320 * 320 + 2 * tokens * tokens * 320;
    expect(full - macs(14)).toBe(6 * (attention(50 * 84) - 24 * attention(14 * 14)));
    // 2x3 windows of 32.
    expect(full - macs(32)).toBe(6 * (attention(50 * 84) - 6 * attention(32 * 32)));
  });

  it('refuses what cannot be', () => {
    const config = modelConfig('uniformer_s');
    const cases: [() => unknown, RegExp][] = [
      [() => denseConfig(config, { window: 0 }), /^size: expected an integer >= 1/],
      [() => denseConfig(config, { window: 14, globalEvery: -1 }), /^globalEvery: expected an integer >= 0, got -1/],
      [() => denseConfig(config, { window: 14, stage: 1 }), /^stage: .*one of \[2,3\], got 1/],
      [() => denseConfig(config, { window: 14, stage: 4 }), /^stage: .*got 4/],
    ];
    for (const [call, message] of cases) {
      expect(call).toThrow(ConfigError);
      expect(call).toThrow(message);
    }
  });
});

describeOnBackends('StructSA in windows', () => {
  it('sees zeros, not its neighbours, beyond the border of a window', async () => {
    const context = { dim: 8, heads: 2, gridRank: 2, rng: new Rng(1) } as const;
    using mixer = windowed(structSA({ detectors: 2 }), 2).create(context);
    const x = noise([1, 15, 8]) as tf.Tensor3D;
    const y = tf.reshape(mixer.forward(x, [3, 5]), [1, 3, 5, 8]);
    const map = tf.reshape(x, [1, 3, 5, 8]);
    const inner = (mixer as WindowedMixer).mixer;
    // The window of rows 0-1 and columns 2-3 has neighbours on two sides.
    const alone = inner.forward(tf.reshape(tf.slice(map, [0, 0, 2, 0], [1, 2, 2, 8]), [1, 4, 8]), [2, 2]);
    await expectClose(tf.slice(y, [0, 0, 2, 0], [1, 2, 2, 8]), tf.reshape(alone, [1, 2, 2, 8]));
    // The last is filled up with zeros: one token in a window of four.
    const corner = tf.pad(tf.slice(map, [0, 2, 4, 0], [1, 1, 1, 8]), [
      [0, 0],
      [0, 1],
      [0, 1],
      [0, 0],
    ]);
    const last = tf.reshape(inner.forward(tf.reshape(corner, [1, 4, 8]), [2, 2]), [1, 2, 2, 8]);
    await expectClose(tf.slice(y, [0, 2, 4, 0], [1, 1, 1, 8]), tf.slice(last, [0, 0, 0, 0], [1, 1, 1, 8]));
  });
});

describeOnBackends(
  'a backbone for dense prediction',
  () => {
    it('takes the weights of a classification model, and is that model where windows cover the grid', async () => {
      for (const rank of [2, 3] as const) {
        const config = deep(tinyStructConfig(rank));
        using plain = createBackbone(config).eval();
        stir(plain);
        using dense = createBackbone(denseConfig(config, { window: [4, 3] })).eval();
        expect(dense.loadStateDict(await plain.stateDict(), { strict: false })).toEqual({
          missing: [1, 2, 3, 4].flatMap((s) => [`norm${s}.weight`, `norm${s}.bias`]),
          unexpected: [],
          misshapen: [],
        });
        // Stage 3 has 4x3 positions.
        const x = noise(rank === 2 ? [1, 64, 48, 3] : [1, 3, 64, 48, 3]);
        await expectClose(dense.forward(x), plain.forward(x));
        const larger = noise(rank === 2 ? [1, 96, 80, 3] : [1, 3, 96, 80, 3]);
        await expect(expectClose(dense.forward(larger), plain.forward(larger), { tolerance: 1e-3 })).rejects.toThrow();
        expect(dense.parameterCount()).toBe(backboneCost(dense.config, rank === 2 ? [64, 48] : [3, 64, 48]).params);
      }
    });

    it('has its StructSA layers where they were', () => {
      using model = createBackbone(denseConfig(deep(), { window: 2 }));
      const layers = [...model.namedModules()].flatMap(([name, module]) =>
        module instanceof StructSelfAttention ? [name] : [],
      );
      expect(layers).toEqual([0, 1, 2, 3, 4].map((i) => `blocks3.${i}.attn`).concat('blocks4.0.attn'));
      const local = model.stages[2]!.items.map((block) => (block as unknown as { attn: unknown }).attn);
      expect(local.map((mixer) => mixer instanceof WindowedMixer)).toEqual([true, true, true, false, true]);
    });

    it('gives the normalised maps of chosen stages', async () => {
      using model = createBackbone(denseConfig(deep(tinyConfig(2, plainAttention())), { window: 2 })).eval();
      stir(model);
      const x = noise([1, 64, 96, 3]);
      const maps = model.forwardIntermediates(x);
      const normal = model.forwardIntermediates(x, [3, 1], { normalize: true });
      expect(model.stageNorms.map(({ eps }) => eps)).toEqual([1e-6, 1e-6, 1e-6, 1e-6]);
      await expectClose(normal[0]!, model.stageNorms[3]!.forward(maps[3]!));
      await expectClose(normal[1]!, model.stageNorms[1]!.forward(maps[1]!));
      expect([...(await model.stateDict()).keys()].filter((name) => /^norm\d/.test(name))).toEqual(
        [1, 2, 3, 4].flatMap((s) => [`norm${s}.weight`, `norm${s}.bias`]),
      );
    });
  },
  { backends: ['wasm'] },
);
