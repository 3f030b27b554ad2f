import type { BatchNorm } from '@saccade/nn';
import { cosineAttention } from '@saccade/nn';
import { ConfigError, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import { parseSafetensors, serializeSafetensors } from '@saccade/weights';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { createDgt, type DgtConfig, dgtCost, loadWeights } from './index.ts';
import { noise, stir, take } from './testing/tiny.ts';
import { tinyDgt, tinyGroups } from './testing/tinyDgt.ts';

/** Names and PyTorch's shapes of a network whose attention has no weights but its projections, from its description. */
function describedShapes({
  dims,
  depths,
  mlpRatio,
  headWidth,
  numClasses,
}: Required<DgtConfig>): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const affine = (name: string, ...weight: number[]) => {
    shapes.set(`${name}.weight`, weight);
    shapes.set(`${name}.bias`, [weight[0]!]);
  };
  const batchNorm = (name: string, channels: number) => {
    affine(name, channels);
    for (const entry of ['running_mean', 'running_var']) shapes.set(`${name}.${entry}`, [channels]);
    shapes.set(`${name}.num_batches_tracked`, []);
  };
  const stem = dims[0]! / 2;
  for (const i of [0, 1]) {
    affine(`stem.conv${i}`, stem, i === 0 ? 3 : stem, 3, 3);
    batchNorm(`stem.bn${i}`, stem);
  }
  dims.forEach((dim, s) => {
    affine(`merges.${s}.conv`, dim, dims[s - 1] ?? stem, 3, 3);
    affine(`merges.${s}.norm`, dim);
    for (let i = 0; i < depths[s]!; i++) {
      const [block, hidden] = [`stages.${s}.${i}`, dim * (mlpRatio as number)];
      affine(`${block}.cpe`, dim, 1, 3, 3);
      for (const norm of ['norm1', 'norm2']) affine(`${block}.${norm}`, dim);
      affine(`${block}.attn.qkv`, 3 * dim, dim);
      affine(`${block}.attn.proj`, dim, dim);
      affine(`${block}.ffn.conv1`, hidden, dim, 1, 1);
      affine(`${block}.ffn.dw`, hidden, 1, 3, 3);
      affine(`${block}.ffn.conv2`, dim, hidden, 1, 1);
      for (const [norm, channels] of [
        ['bn1', hidden],
        ['bn2', hidden],
        ['bn3', dim],
      ] as const) {
        batchNorm(`${block}.ffn.${norm}`, channels);
      }
    }
  });
  affine('head.conv', headWidth, dims.at(-1)!, 1, 1);
  batchNorm('head.bn', headWidth);
  affine('head.fc', numClasses, headWidth);
  return shapes;
}

describeOnBackends(
  'DynamicGroupTransformer',
  () => {
    it('gives logits, pooled features and the maps that featureInfo describes, of odd sizes rounded up', async () => {
      const model = createDgt(tinyDgt()).eval();
      const x = noise([2, 33, 22, 3]);
      await expectNoLeak(async () => {
        const maps = model.forwardIntermediates(x);
        const [features, pooled, logits] = [model.forwardFeatures(x), model.forwardPooled(x), model.forward(x)];
        expect(maps.map(({ shape }) => shape)).toEqual([
          [2, 9, 6, 8],
          [2, 5, 3, 16],
        ]);
        expect([pooled.shape, logits.shape]).toEqual([
          [2, 12],
          [2, 5],
        ]);
        expect(model.featureInfo).toEqual([
          { name: 'stage1', dim: 8, stride: 4, temporalStride: 1 },
          { name: 'stage2', dim: 16, stride: 8, temporalStride: 1 },
        ]);
        await expectClose(features, maps[1]!);
        const head = model.head.fc.forward(pooled);
        await expectClose(logits, head);
        return [...maps, features, pooled, logits, head];
      });
      expect(model.forward(noise([1, 1, 1, 3])).shape).toEqual([1, 5]);
    });

    it('computes the stages that are asked for, normalised where it has norms for them', async () => {
      const model = createDgt(tinyDgt({ stageNorms: true })).eval();
      const x = noise([1, 16, 16, 3]);
      const [first, last] = model.forwardIntermediates(x) as [tf.Tensor4D, tf.Tensor4D];
      await expectNoLeak(async () => {
        const turned = model.forwardIntermediates(x, [1, 0]);
        const alone = model.forwardIntermediates(x, [0]);
        const normalised = model.forwardIntermediates(x, [1, 0], { normalize: true });
        for (const [actual, expected] of [
          [turned[0], last],
          [turned[1], first],
          [alone[0], first],
        ]) {
          await expectClose(actual!, expected!);
        }
        const expected = [model.norms!.items[1]!.forward(last), model.norms!.items[0]!.forward(first)];
        await expectClose(normalised[0]!, expected[0]!);
        await expectClose(normalised[1]!, expected[1]!);
        return [...turned, ...alone, ...normalised, ...expected];
      });
      for (const stages of [[2], [-1], [0.5], [0, 0]]) {
        expect(() => model.forwardIntermediates(x, stages)).toThrow(/^stages: expected positions of stages, 0 to 1/);
      }
      const bare = createDgt(tinyDgt()).eval();
      expect(() => bare.forwardIntermediates(x, [0], { normalize: true })).toThrow(ConfigError);
      expect(() => bare.forwardIntermediates(x, [0], { normalize: true })).toThrow(/stageNorms: true/);
    });

    it('has the names and shapes of its description, and centroids for DG-Attention', () => {
      const config = tinyDgt();
      const model = createDgt(config);
      const shapes = new Map([...model.stateShapes()].map(([name, { shape }]) => [name, [...shape]]));
      expect(shapes.get('stages.0.0.attn.centroids')).toEqual([2, 3, 4]);
      shapes.delete('stages.0.0.attn.centroids');
      const expected = describedShapes(config as Required<DgtConfig>);
      expect(Object.fromEntries(shapes)).toEqual(Object.fromEntries(expected));
      expect(model.parameterCount()).toBe(dgtCost(config, [32, 32]).params);
    });

    it('computes the same from a file of its weights, centroids and statistics included', async () => {
      const config = tinyDgt({ normOrder: 'post', mixers: [tinyGroups({ attention: 'cosine' }), cosineAttention()] });
      const [from, to] = [1, 2].map((seed) => createDgt({ ...config, seed }));
      const x = noise([2, 16, 16, 3]);
      stir(from!);
      from!.forward(x).dispose();
      from!.afterStep({ learningRate: 5 });
      const file = parseSafetensors(serializeSafetensors(await from!.stateDict()));
      to!.loadStateDict(file.toStateDict());
      expect(await to!.stateDict()).toEqual(await from!.stateDict());
      const logits = await take(from!.eval().forward(x));
      expect(await take(to!.eval().forward(x))).toEqual(logits);
      const again = createDgt(config);
      const { loaded } = await loadWeights(again, file);
      expect(loaded).toHaveLength(from!.stateShapes().size);
      expect(await take(again.eval().forward(x))).toEqual(logits);
    });

    it('in training mode updates all running statistics and drops paths, in evaluation nothing', async () => {
      const model = createDgt(tinyDgt({ dropPath: 0.9, normOrder: 'post' }));
      const x = noise([4, 16, 16, 3]);
      const [one, other] = [await take(model.forwardFeatures(x)), await take(model.forwardFeatures(x))];
      expect(one).not.toEqual(other);
      const norms = [...model.namedModules()].filter(([, module]) => module.constructor.name === 'BatchNorm');
      expect(norms).toHaveLength(2 + 3 * 3 + 1);
      for (const [name, norm] of norms) {
        expect((norm as BatchNorm).batches.value, name).toBe(name === 'head.bn' ? 0n : 2n);
      }
      const state = await model.eval().stateDict();
      const logits = await take(model.forward(x));
      expect(await take(model.forward(x))).toEqual(logits);
      expect(await model.stateDict()).toEqual(state);
    });

    it('starts from its seed; norms that start at zero leave the position embedding alone', async () => {
      const weights = async (seed: number) => createDgt(tinyDgt({ seed })).stateDict();
      expect(await weights(1)).toEqual(await weights(1));
      expect(await weights(1)).not.toEqual(await weights(2));
      const model = createDgt(tinyDgt({ normOrder: 'post', zeroInitNorms: true }));
      const block = model.stages.items[0]!.items[0]!;
      const x = noise([2, 4, 4, 8]) as tf.Tensor4D;
      await expectClose(block.forward(x), block.cpe.forward(x));
    });

    it('takes a new classifier and frees the old one', () => {
      const model = createDgt(tinyDgt()).eval();
      const [old, tensors] = [model.head.fc, tf.memory().numTensors];
      model.resetClassifier(3);
      expect(tf.memory().numTensors).toBe(tensors);
      expect(old.weight.variable.isDisposed).toBe(true);
      expect(model.forward(noise([1, 8, 8, 3])).shape).toEqual([1, 3]);
      expect([...model.stateShapes()].at(-1)).toEqual(['head.fc.bias', { shape: [3] }]);
      expect(() => model.resetClassifier(0)).toThrow(/^numClasses: expected an integer >= 1, got 0/);
    });

    it('leaves no tensors after dispose, or after a mixer that cannot be made, and cannot be used again', () => {
      const before = tf.memory().numTensors;
      const model = createDgt(tinyDgt());
      const x = noise([1, 16, 16, 3]);
      model.forward(x).dispose();
      model.dispose();
      expect(() => model.forward(x)).toThrow(SaccadeError);
      x.dispose();
      const create = () => {
        throw new ConfigError('mixer', 'one that can be made', 'none');
      };
      const config = tinyDgt();
      const mixers = [config.mixers[0]!, { ...tinyGroups(), create }];
      expect(() => createDgt({ ...config, mixers })).toThrow(/^mixer: /);
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each([
      ['channels first', [1, 3, 32, 32], /^x: expected shape \[B,H,W,3\], got \[1,3,32,32\]\. Channels come last/],
      ['a clip', [1, 2, 32, 32, 3], /^x: expected shape \[B,H,W,3\].*Clips are not taken/],
    ] as const)('refuses %s', (_, shape, message) => {
      const model = createDgt(tinyDgt());
      expect(() => model.forward(tf.zeros([...shape]))).toThrow(ShapeError);
      expect(() => model.forward(tf.zeros([...shape]))).toThrow(message);
    });

    it('refuses pictures without a position in the last stage', () => {
      const model = createDgt(tinyDgt({ mergeKernel: 2 })).eval();
      expect(model.forwardFeatures(noise([1, 7, 8, 3])).shape).toEqual([1, 1, 1, 16]);
      expect(() => model.forward(noise([1, 6, 8, 3]))).toThrow(ShapeError);
      expect(() => model.forward(noise([1, 6, 8, 3]))).toThrow(/^x: expected at least 7x7 pixels.*got 6x8/);
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends('DynamicGroupTransformer', (backend) => {
  it.each(['pre', 'post'] as const)('gives the logits and gradients that cpu gives: %s', async (normOrder) => {
    const read = async () => {
      const cosine = { attention: 'cosine' } as const;
      const mixers = normOrder === 'post' ? [tinyGroups(cosine), cosineAttention()] : tinyDgt().mixers;
      const model = createDgt(tinyDgt({ normOrder, mixers, depths: [1, 1] }));
      stir(model);
      const x = noise([2, 17, 16, 3]);
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
      // Gradients that are zero but for rounding, such as those before a normalisation, have no digits to compare.
      if (Math.max(...values.map(Math.abs)) > 1e-4 * scale) {
        await expectClose(actual.get(name)!, values, { tolerance: 2e-4 });
      }
    }
    expect(actual.size).toBe(expected.size);
  });
});
