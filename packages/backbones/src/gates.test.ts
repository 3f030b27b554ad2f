import { aia } from '@saccade/aia';
import { plainAttention, type StateTensor, squeezeExcitation } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { describeOnBackends, expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Backbone } from './Backbone.ts';
import type { BackboneConfig, StageConfig } from './config.ts';
import { backboneCost } from './cost.ts';
import { modelInfo } from './models.ts';
import { ResNetVideo } from './ResNetVideo.ts';
import { resnetVideoCost } from './resnetCost.ts';
import { picoTsmConfig, tsmConfig } from './resnetModels.ts';

/** One convolution block, then one block with a mixer, on clips of 4 frames or on images. */
function config(gridRank: 2 | 3, stage: Partial<StageConfig>): BackboneConfig {
  const patch = { kernel: gridRank === 3 ? [1, 4, 4] : [4, 4] };
  const next = { kernel: gridRank === 3 ? [1, 2, 2] : [2, 2] };
  return {
    gridRank,
    stages: [
      { dim: 8, depth: 1, patch, ...stage },
      { dim: 16, depth: 1, patch: next, mixer: structSA({ detectors: 2 }), headDim: 8, ...stage },
    ],
    numClasses: 3,
  };
}

describeOnBackends(
  'gates in the blocks of a backbone',
  () => {
    it('weigh what the blocks have mixed, in clips and in images, and learn', async () => {
      for (const gridRank of [2, 3] as const) {
        using gated = new Backbone(config(gridRank, { gate: aia() }));
        using plain = new Backbone(config(gridRank, {}));
        const shape = gridRank === 3 ? [1, 4, 16, 16, 3] : [1, 16, 16, 3];
        const x = tf.randomNormal(shape, 0, 1, 'float32', 3);
        expect(gated.parameterCount()).toBe(plain.parameterCount() + 2 * 224);
        const { grads, value } = tf.variableGrads(() => tf.sum(tf.square(gated.forward(x))) as tf.Scalar);
        expect(Number.isFinite((await value.data())[0])).toBe(true);
        for (const [name, { variable }] of gated.namedParameters()) {
          if (!name.includes('eft.') || !name.endsWith('conv.weight')) continue;
          const largest = await tf.max(tf.abs(grads[variable.name] as tf.Tensor)).data();
          expect(largest[0], name).toBeGreaterThan(0);
        }
      }
    });

    it('are what the block computes without them where they let everything through', async () => {
      using gated = new Backbone(config(3, { gate: squeezeExcitation({ reduction: 4 }) })).eval();
      using plain = new Backbone(config(3, {})).eval();
      const shared = await plain.stateDict();
      const open: StateTensor = { dtype: 'float32', shape: [], data: new Float32Array(16).fill(40) };
      const state = [...(await gated.stateDict())].map(([name, own]): [string, StateTensor] => {
        if (!name.endsWith('se.fc2.bias')) return [name, shared.get(name) ?? own];
        return [name, { ...open, shape: own.shape, data: (open.data as Float32Array).subarray(0, own.data.length) }];
      });
      gated.loadStateDict(new Map(state));
      const x = tf.randomNormal([1, 2, 16, 16, 3], 0, 1, 'float32', 3);
      await expectClose(gated.forward(x), plain.forward(x));
    });

    it('cost what models hold', () => {
      using network = new ResNetVideo(picoTsmConfig({ gate: aia({ variant: 'STinC2CinST' }) }));
      const gated = picoTsmConfig({ gate: aia({ variant: 'STinC2CinST' }) });
      expect(network.parameterCount()).toBe(resnetVideoCost(gated, [8, 32, 32]).params);
      for (const gridRank of [2, 3] as const) {
        const built = config(gridRank, {
          gate: squeezeExcitation({ reduction: 4 }),
          mixer: plainAttention(),
          headDim: 8,
        });
        using model = new Backbone(built);
        expect(model.parameterCount()).toBe(backboneCost(built, gridRank === 3 ? [4, 16, 16] : [16, 16]).params);
      }
    });
  },
  { backends: ['wasm'] },
);

describe('the cost of gates', () => {
  it('is that of the specification for TSM-ResNet-50: 23,868,142 parameters and 32.830 G', () => {
    const cost = (variant?: Parameters<typeof aia>[0]) => {
      const gate = variant ? { gate: aia(variant) } : {};
      return resnetVideoCost({ ...tsmConfig(50, gate), numClasses: 174 }, [8, 224, 224]);
    };
    const gmacs = (variant?: Parameters<typeof aia>[0]) => (cost(variant).macs / 1e9).toFixed(3);
    expect(cost({ variant: 'CinST' }).params).toBe(23_868_142);
    expect(cost({ variant: 'STinC' }).params).toBe(23_868_142);
    expect(cost().params).toBe(23_864_558);
    expect(cost({ variant: 'CinST2STinC' }).params).toBe(23_864_558 + 7168);
    expect([gmacs(), gmacs({ variant: 'C' }), gmacs({ variant: 'ST' }), gmacs({ variant: 'CinST' })]).toEqual([
      '32.700',
      '32.706',
      '32.824',
      '32.830',
    ]);
    expect([gmacs({ variant: 'CplusST' }), gmacs({ variant: 'STinCplusCinST' })]).toEqual(['32.830', '32.960']);
  });

  it.each([
    [48, 23_609_968],
    [106, 23_728_810],
    [400, 24_331_216],
  ])('for %d classes', (numClasses, params) => {
    expect(resnetVideoCost({ ...tsmConfig(50, { gate: aia() }), numClasses }, [8, 224, 224]).params).toBe(params);
  });

  it('is in the table of models', () => {
    expect(modelInfo('tsm_resnet50').params).toBe(23_864_558);
  });
});
