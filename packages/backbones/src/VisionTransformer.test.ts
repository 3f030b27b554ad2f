import { type MixerSpec, Module, plainAttention, windowed } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import {
  createVisionTransformer,
  inflateStateDict,
  resizePositionEmbedding,
  type VisionTransformer,
  type VisionTransformerConfig,
  visionTransformerCost,
} from './index.ts';
import { noise, stir, take } from './testing/tiny.ts';
import { tinyVit } from './testing/tinyVit.ts';
import { vitReference } from './testing/vitReference.ts';

const IMAGE = [2, 12, 16, 3] as const;
const CLIP = [2, 4, 12, 16, 3] as const;

/** A model in evaluation mode whose weights all show in its logits. */
function stirred(config: VisionTransformerConfig): VisionTransformer {
  const model = createVisionTransformer(config).eval();
  stir(model);
  return model;
}

describeOnBackends('VisionTransformer', (backend) => {
  it.each([
    ['class token', 2, 'token', {}],
    ['mean, layer scale', 2, 'mean', { layerScale: 0.5 }],
    ['clips, class token, no qkv bias', 3, 'token', { qkvBias: false }],
    ['clips, mean', 3, 'mean', {}],
  ] as const)('computes what DeiT describes: %s', async (_, rank, pooling, change) => {
    const model = stirred(tinyVit(rank, plainAttention(), { pooling, ...change }));
    await expectNoLeak(async () => {
      const x = noise(rank === 3 ? CLIP : IMAGE);
      const logits = model.forward(x);
      const pixels = await x.data();
      const state = await model.stateDict();
      const size = rank === 3 ? ([4, 12, 16] as const) : ([1, 12, 16] as const);
      const plan = { size, kernel: [rank === 3 ? 2 : 1, 4, 4] as const, depth: 2, heads: 2 };
      const expected = [0, 1].flatMap((sample) => {
        const count = pixels.length / 2;
        return vitReference(state, pixels.subarray(sample * count, (sample + 1) * count), plan);
      });
      await expectClose(logits, expected, { tolerance: 2e-5 }); // a dozen layers of float32
      return [x, logits];
    });
    model.dispose();
  });

  it.each([
    ['images, class token', tinyVit(2, plainAttention(), { pooling: 'token', layerScale: 0.5 }), [1, 12, 20, 3]],
    [
      'clips, StructSA, class token',
      tinyVit(3, structSA({ detectors: 2 }), { depth: 1, pooling: 'token' }),
      [1, 4, 12, 16, 3],
    ],
  ] as const)('gives the logits and gradients that cpu gives: %s', async (_, config, shape) => {
    const read = async () => {
      const model = stirred(config);
      const x = noise(shape);
      const parameters = model.namedParameters();
      const { value, grads } = tf.variableGrads(
        () => tf.sum(tf.square(model.forward(x))) as tf.Scalar,
        [...parameters.values()].map(({ variable }) => variable),
      );
      const found = new Map<string, Float32Array>([['loss', await take(value)]]);
      for (const [name, { variable }] of parameters) found.set(name, await take(grads[variable.name]!));
      model.dispose();
      x.dispose();
      return found;
    };
    await setupBackend('cpu');
    const expected = await read();
    await setupBackend(backend.name);
    const actual = await read();
    const scale = Math.max(...[...expected.values()].map((values) => Math.max(...values.map(Math.abs))));
    for (const [name, values] of expected) {
      const largest = Math.max(...values.map(Math.abs));
      expect(largest, name).toBeGreaterThan(1e-4 * scale); // every weight matters
      await expectClose(actual.get(name)!, values, { tolerance: 2e-4 });
    }
    expect(actual.size).toBe(expected.size);
  });
});

describeOnBackends(
  'VisionTransformer',
  () => {
    it.each([2, 3] as const)('has the slope along its gradient that it has, grid of %i axes', async (rank) => {
      for (const pooling of ['mean', 'token'] as const) {
        const model = stirred(tinyVit(rank, plainAttention(), { pooling, layerScale: 0.5 }));
        const x = noise(rank === 3 ? [1, 2, 12, 16, 3] : [1, 16, 8, 3]); // not the built size: positions are resampled
        const weights = [...model.namedParameters().values()].map(({ variable }) => variable);
        const loss = () => tf.tidy(() => tf.sum(tf.sin(model.forward(x))) as tf.Scalar);
        const { grads } = tf.variableGrads(loss, weights);
        const along = weights.map((weight, i) => noise(weight.shape, i));
        const products = weights.map((weight, i) => tf.sum(tf.mul(grads[weight.name]!, along[i]!)));
        const [slope] = await tf.addN(products).data();
        const at = async (step: number) => {
          const values = weights.map((weight) => tf.clone(weight));
          for (const [i, weight] of weights.entries()) weight.assign(tf.add(weight, tf.mul(along[i]!, step)));
          const [value] = await loss().data();
          for (const [i, weight] of weights.entries()) weight.assign(values[i]!);
          return value!;
        };
        const step = 1e-3;
        await expectClose(slope!, ((await at(step)) - (await at(-step))) / (2 * step), { tolerance: 1e-2 });
      }
    });

    it.each([
      ['images', 2, IMAGE, [2, 3, 4, 16]],
      ['clips', 3, CLIP, [2, 2, 3, 4, 16]],
    ] as const)('gives maps, tokens and what the classifier reads: %s', async (_, rank, shape, map) => {
      for (const pooling of ['mean', 'token'] as const) {
        const model = stirred(tinyVit(rank, plainAttention(), { pooling }));
        const x = noise(shape);
        await expectNoLeak(async () => {
          const [first, second] = model.forwardIntermediates(x);
          const [normalized, early] = model.forwardIntermediates(x, [1, 0], { normalize: true });
          const [features, tokens] = [model.forwardFeatures(x), model.forwardTokens(x)];
          const [pooled, logits] = [model.forwardPooled(x), model.forward(x)];
          for (const tensor of [first!, second!, features]) expect(tensor.shape).toEqual(map);
          expect(tokens.shape).toEqual([2, (rank === 3 ? 24 : 12) + (pooling === 'token' ? 1 : 0), 16]);
          await expectClose(normalized!, features);
          const expected = tf.tidy(() => [model.norm.forward(first!), model.norm.forward(second!)]);
          await expectClose(early!, expected[0]!);
          await expectClose(features, expected[1]!);
          const own = tf.tidy(() => [
            tf.reshape(tf.slice(tokens, [0, pooling === 'token' ? 1 : 0, 0], [-1, -1, -1]), features.shape),
            pooling === 'token' ? tf.reshape(tf.slice(tokens, 0, [2, 1, 16]), [2, 16]) : tf.mean(tokens, 1),
            model.head.forward(pooled),
          ]);
          await expectClose(own[0]!, features);
          await expectClose(own[1]!, pooled);
          await expectClose(own[2]!, logits);
          return [
            first,
            second,
            normalized,
            early,
            features,
            tokens,
            pooled,
            logits,
            ...expected,
            ...own,
          ] as tf.Tensor[];
        });
        expect(model.featureInfo).toEqual(
          [1, 2].map((i) => ({ name: `block${i}`, dim: 16, stride: 4, temporalStride: rank - 1 })),
        );
        const [only] = model.forwardIntermediates(x, [0]);
        const [first] = model.forwardIntermediates(x);
        await expectClose(only!, first!);
        expect(model.forwardIntermediates(x, [])).toEqual([]);
        for (const layers of [[2], [-1], [0.5], [0, 0]]) {
          expect(() => model.forwardIntermediates(x, layers)).toThrow(
            /^layers: expected positions of blocks, 0 to 1, each/,
          );
        }
      }
    });

    it.each([
      ['larger images', 2, [1, 24, 20, 3], [24, 20]],
      ['smaller images, no whole patches', 2, [1, 11, 13, 3], [8, 12]],
      ['longer clips', 3, [1, 6, 12, 16, 3], [6, 12, 16]],
      ['shorter, larger clips', 3, [1, 3, 16, 24, 3], [2, 16, 24]],
    ] as const)(
      'takes inputs of another size, as a model built for it with resized positions: %s',
      async (_, rank, shape, size) => {
        for (const pooling of ['mean', 'token'] as const) {
          const config = tinyVit(rank, plainAttention(), { pooling });
          const model = stirred(config);
          const own = createVisionTransformer({ ...config, inputSize: size }).eval();
          const state = await model.stateDict();
          own.loadStateDict(resizePositionEmbedding(state, own.config.grid, { from: model.config.grid }));
          const x = noise(shape);
          const logits = model.forward(x);
          expect(model.forwardFeatures(x).shape).toEqual([1, ...own.config.grid, 16]);
          await expectClose(logits, own.forward(x));
          if (rank === 2) {
            // And the positions do count.
            const plain = createVisionTransformer({ ...config, positionEmbedding: false }).eval();
            plain.loadStateDict(new Map([...state].filter(([name]) => name !== 'pos_embed')));
            await expect(expectClose(plain.forward(x), logits, { tolerance: 1e-2 })).rejects.toThrow();
          }
        }
      },
    );

    it('of images, inflated, gives the same logits for a clip that stands still', async () => {
      const image = stirred(tinyVit(2));
      const video = createVisionTransformer(tinyVit(3)).eval();
      const inflated = inflateStateDict(await image.stateDict(), await video.stateDict());
      video.loadStateDict(resizePositionEmbedding(inflated, video.config.grid, { from: image.config.grid }));
      const x = noise(IMAGE);
      const clip = tf.stack(Array<tf.Tensor>(4).fill(x), 1);
      await expectClose(video.forward(clip), image.forward(x));
    });

    it('takes one mixer for all blocks or one for each, and tells them where they stand', () => {
      const seen: unknown[] = [];
      const spy: MixerSpec = {
        name: 'spy',
        takesPrefixTokens: true,
        create: ({ rng: _, ...context }) => {
          seen.push(context);
          return new Idle();
        },
        cost: () => ({ params: 0, macs: 0, activationBytes: 0 }),
      };
      const model = createVisionTransformer(
        tinyVit(3, spy, { pooling: 'token', qkvBias: false, mixer: [plainAttention(), spy] }),
      );
      expect(seen).toEqual([{ dim: 16, heads: 2, gridRank: 3, grid: [2, 3, 4], prefixTokens: 1, qkvBias: false }]);
      expect(model.forward(noise(CLIP)).shape).toEqual([2, 5]);
      const windows = tinyVit(2, windowed(structSA({ detectors: 2 }), 2));
      const local = createVisionTransformer(windows);
      expect(local.forward(noise(IMAGE)).shape).toEqual([2, 5]);
      expect(local.parameterCount()).toBe(visionTransformerCost(windows).params);
    });

    it('in training mode drops paths, more in later blocks', async () => {
      const model = stirred(tinyVit(2, plainAttention(), { dropPath: 0.9, depth: 3 }));
      const rates = [...model.namedModules()].flatMap(([, m]) => ('rate' in m ? [m.rate as number] : []));
      expect(rates).toEqual([0, 0.45, 0.9]);
      const x = noise(IMAGE);
      const logits = await take(model.forward(x));
      expect(await take(model.forward(x))).toEqual(logits);
      model.train();
      const first = await take(model.forward(x));
      expect(await take(model.forward(x))).not.toEqual(first);
    });

    it('takes a new classifier and frees the old one', async () => {
      const model = stirred(tinyVit(2, plainAttention(), { pooling: 'token' }));
      const x = noise(IMAGE);
      const pooled = await take(model.forwardPooled(x));
      const [old, tensors] = [model.head, tf.memory().numTensors];
      model.resetClassifier(3);
      expect(tf.memory().numTensors).toBe(tensors);
      expect(old.weight.variable.isDisposed).toBe(true);
      expect(model.forward(x).shape).toEqual([2, 3]);
      expect(model.head.training).toBe(false);
      expect(await take(model.forwardPooled(x))).toEqual(pooled);
      expect((await model.stateDict()).get('head.weight')?.shape).toEqual([3, 16]);
      expect(() => model.resetClassifier(0)).toThrow(/^numClasses: expected an integer >= 1, got 0/);
    });
  },
  { backends: ['wasm'] },
);

/** Mixes nothing. */
class Idle extends Module {
  forward(x: tf.Tensor3D): tf.Tensor3D {
    return tf.clone(x);
  }
}
