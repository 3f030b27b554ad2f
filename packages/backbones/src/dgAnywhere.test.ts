import { DgSelfAttention, dgAttention } from '@saccade/dg-attention';
import { structSA } from '@saccade/structsa';
import { describeOnBackends, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { backboneCost, createBackbone, createVisionTransformer, picoVideoConfig } from './index.ts';
import { noise, take } from './testing/tiny.ts';
import { tinyVit } from './testing/tinyVit.ts';

const groups = dgAttention({ groups: 4, topK: 8, tauFactor: 1 });

describeOnBackends(
  'DG-Attention in other backbones',
  () => {
    it('stands in the first stage of a StructViT, learns, and moves its centroids', async () => {
      const config = {
        gridRank: 2,
        numClasses: 4,
        mlpRatio: 2,
        stages: [
          { dim: 16, depth: 1, patch: { kernel: [2, 2] }, mixer: groups, headDim: 8 },
          { dim: 32, depth: 1, patch: { kernel: [2, 2] }, mixer: structSA({ detectors: 2 }), headDim: 16 },
        ],
      } as const;
      const model = createBackbone(config);
      expect(model.parameterCount()).toBe(backboneCost(config, [16, 16]).params);
      const x = noise([3, 16, 16, 3]);
      const weights = [...model.namedParameters().values()].map(({ variable }) => variable);
      const centroids = async () => (await model.stateDict()).get('blocks1.0.attn.centroids')!.data;
      const before = await centroids();
      await expectNoLeak(() => {
        const { value, grads } = tf.variableGrads(() => tf.sum(tf.square(model.forward(x))) as tf.Scalar, weights);
        for (const weight of weights) tf.tidy(() => weight.assign(tf.sub(weight, tf.mul(grads[weight.name]!, 0.1))));
        tf.dispose(grads);
        model.afterStep({ learningRate: 0.1 });
        return value;
      });
      expect(await centroids()).not.toEqual(before);
      expect(
        model
          .eval()
          .forwardIntermediates(x)
          .map(({ shape }) => shape),
      ).toEqual([
        [3, 8, 8, 16],
        [3, 4, 4, 32],
      ]);
    });

    it('takes clips, and class tokens', async () => {
      const clips = createBackbone(picoVideoConfig(groups)).eval();
      expect(clips.forward(noise([1, 8, 32, 32, 1])).shape).toEqual([1, 16]);
      const vit = createVisionTransformer(tinyVit(2, groups, { pooling: 'token' })).eval();
      const attention = [...vit.namedModules()].flatMap(([, module]) =>
        module instanceof DgSelfAttention ? [module] : [],
      );
      expect(attention.map(({ prefixTokens }) => prefixTokens)).toEqual([1, 1]);
      const logits = await take(vit.forward(noise([1, 12, 16, 3])));
      expect(logits.every(Number.isFinite)).toBe(true);
    });
  },
  { backends: ['wasm'] },
);
