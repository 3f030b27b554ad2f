import type { BatchNorm } from '@saccade/nn';
import { squeezeExcitation } from '@saccade/nn';
import { ConfigError, Rng, SaccadeError, ShapeError, temporalShift } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { Bottleneck, createResNet, type ResNetConfig, resnetConfig, resnetCost } from './index.ts';
import { noise, stir, take } from './testing/tiny.ts';
import { recorder, TINY_RESNET } from './testing/tinyResNet.ts';

/** Torchvision's names and PyTorch's shapes of a network of bottlenecks, from its description. */
function torchvisionShapes({ depths, width = 64, numClasses = 1000 }: ResNetConfig): Record<string, number[]> {
  const shapes: Record<string, number[]> = { 'conv1.weight': [width, 3, 7, 7] };
  const norm = (name: string, channels: number) => {
    for (const entry of ['weight', 'bias', 'running_mean', 'running_var']) shapes[`${name}.${entry}`] = [channels];
    shapes[`${name}.num_batches_tracked`] = [];
  };
  norm('bn1', width);
  let inputs = width;
  depths.forEach((depth, s) => {
    const planes = width * 2 ** s;
    for (let i = 0; i < depth; i++) {
      const block = `layer${s + 1}.${i}`;
      shapes[`${block}.conv1.weight`] = [planes, inputs, 1, 1];
      shapes[`${block}.conv2.weight`] = [planes, planes, 3, 3];
      shapes[`${block}.conv3.weight`] = [4 * planes, planes, 1, 1];
      for (const [k, channels] of [planes, planes, 4 * planes].entries()) norm(`${block}.bn${k + 1}`, channels);
      if (i === 0) {
        shapes[`${block}.downsample.0.weight`] = [4 * planes, inputs, 1, 1];
        norm(`${block}.downsample.1`, 4 * planes);
      }
      inputs = 4 * planes;
    }
  });
  shapes['fc.weight'] = [numClasses, inputs];
  shapes['fc.bias'] = [numClasses];
  return shapes;
}

describeOnBackends(
  'ResNet',
  () => {
    it('gives logits, pooled features and the maps that featureInfo describes', async () => {
      const model = createResNet(TINY_RESNET).eval();
      const x = noise([2, 33, 48, 3]);
      await expectNoLeak(async () => {
        const maps = model.forwardIntermediates(x);
        const [features, pooled, logits] = [model.forwardFeatures(x), model.forwardPooled(x), model.forward(x)];
        expect(maps.map(({ shape }) => shape)).toEqual([[2, 9, 12, 32], [2, 5, 6, 64]]); // biome-ignore format: a pair
        expect([pooled.shape, logits.shape]).toEqual([
          [2, 64],
          [2, 5],
        ]);
        expect(model.featureInfo).toEqual([
          { name: 'stage1', dim: 32, stride: 4, temporalStride: 1 },
          { name: 'stage2', dim: 64, stride: 8, temporalStride: 1 },
        ]);
        await expectClose(features, maps[1]!);
        const mean = tf.mean(features, [1, 2]);
        await expectClose(pooled, mean);
        const head = tf.tidy(() => model.fc!.forward(pooled));
        await expectClose(logits, head);
        return [...maps, features, pooled, logits, mean, head];
      });
    });

    it('computes the stages that are asked for', async () => {
      const model = createResNet(TINY_RESNET).eval();
      const x = noise([1, 32, 32, 3]);
      const [first, last] = model.forwardIntermediates(x) as [tf.Tensor, tf.Tensor];
      await expectNoLeak(async () => {
        const turned = model.forwardIntermediates(x, [1, 0]);
        await expectClose(turned[0]!, last);
        await expectClose(turned[1]!, first);
        const alone = model.forwardIntermediates(x, [0]);
        await expectClose(alone[0]!, first);
        return [...turned, ...alone];
      });
      for (const stages of [[2], [-1], [0.5], [0, 0]]) {
        expect(() => model.forwardIntermediates(x, stages)).toThrow(/^stages: expected positions of stages, 0 to 1/);
      }
    });

    it("has torchvision's names and PyTorch's shapes", async () => {
      const state = await createResNet(TINY_RESNET).stateDict();
      const shapes = Object.fromEntries([...state].map(([name, { shape }]) => [name, shape]));
      expect(shapes).toEqual(torchvisionShapes(TINY_RESNET));
      // As many entries as the file of ResNet-50 has.
      expect(Object.keys(torchvisionShapes(resnetConfig(50)))).toHaveLength(320);
    });

    it('has the parameters that the paper and torchvision count', () => {
      expect(resnetCost(resnetConfig(50), [224, 224])).toMatchObject({ params: 25_557_032, macs: 4_089_184_256 });
      expect(resnetCost(resnetConfig(101), [224, 224]).params).toBe(44_549_160);
    });

    it.each([
      TINY_RESNET,
      { depths: [1, 1, 1], width: 4, stem: { kernel: 3, stride: 1, pool: false }, inChannels: 1, numClasses: 0 },
      { ...TINY_RESNET, gate: squeezeExcitation({ reduction: 4 }), insertEvery: [1, 2] },
    ])('has the parameters that resnetCost counts: %j', (config) => {
      const model = createResNet(config);
      expect(model.parameterCount()).toBe(resnetCost(config, [64, 64]).params);
      model.dispose();
    });

    it('starts by the rules of its docstring, from its seed', async () => {
      const [one, same, other] = [1, 1, 2].map((seed) => createResNet({ ...TINY_RESNET, seed }));
      const values = async (model = one!) =>
        (await model.stateDict()).get('layer2.0.conv2.weight')!.data as Float32Array;
      expect(await values()).toEqual(await values(same));
      expect(await values()).not.toEqual(await values(other));
      const found = await values();
      const variance = found.reduce((sum, value) => sum + value * value, 0) / found.length;
      // 16 * 16 * 9 values of N(0, 2 / (16 * 9)): the variance is known to 3 %.
      expect(variance / (2 / (16 * 9))).toBeGreaterThan(0.88);
      expect(variance / (2 / (16 * 9))).toBeLessThan(1.12);
      const fc = (await one!.stateDict()).get('fc.weight')!.data as Float32Array;
      expect(Math.max(...fc.map(Math.abs))).toBeLessThan(1 / 8);
      expect(Math.max(...fc.map(Math.abs))).toBeGreaterThan(0.9 / 8);
    });

    it('in training mode updates all running statistics, in evaluation none', async () => {
      const model = createResNet(TINY_RESNET);
      const x = noise([2, 32, 32, 3]);
      model.forward(x).dispose();
      const norms = [...model.namedModules()].filter(([, module]) => module.constructor.name === 'BatchNorm');
      expect(norms).toHaveLength(1 + 3 * 3 + 2);
      for (const [name, norm] of norms) expect((norm as BatchNorm).batches.value, name).toBe(1n);
      const state = await model.eval().stateDict();
      const logits = await take(model.forward(x));
      expect(await take(model.forward(x))).toEqual(logits);
      expect(await model.stateDict()).toEqual(state);
    });

    it('takes a new classifier and frees the old one', () => {
      const model = createResNet(TINY_RESNET).eval();
      const [old, tensors] = [model.fc!, tf.memory().numTensors];
      model.resetClassifier(3);
      expect(tf.memory().numTensors).toBe(tensors);
      expect(old.weight.variable.isDisposed).toBe(true);
      expect(model.forward(noise([1, 32, 32, 3])).shape).toEqual([1, 3]);
      expect(model.fc!.training).toBe(false);
      expect(() => model.resetClassifier(0)).toThrow(/^numClasses: expected an integer >= 1, got 0/);
      const bare = createResNet({ ...TINY_RESNET, numClasses: 0 });
      expect([bare.fc, bare.forward(noise([1, 32, 32, 3])).shape]).toEqual([undefined, [1, 64]]);
      bare.resetClassifier(4);
      expect(bare.forward(noise([1, 32, 32, 3])).shape).toEqual([1, 4]);
    });

    it('leaves no tensors after dispose, or after a gate that cannot be made, and cannot be used again', () => {
      const before = tf.memory().numTensors;
      const model = createResNet(TINY_RESNET);
      const x = noise([1, 32, 32, 3]);
      model.forward(x).dispose();
      model.dispose();
      expect(() => model.forward(x)).toThrow(SaccadeError);
      x.dispose();
      const create = ({ channels }: { channels: number }) => {
        if (channels === 16) throw new ConfigError('gate', 'other channels', channels);
        return recorder().create({ channels, rng: new Rng(1) });
      };
      expect(() => createResNet({ ...TINY_RESNET, gate: { ...recorder(), create } })).toThrow(/^gate: /);
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each([
      ['channels first', [1, 3, 32, 32], /^x: expected shape \[B,H,W,3\], got \[1,3,32,32\]\. Channels come last/],
      ['a clip', [1, 2, 32, 32, 3], /^x: expected shape \[B,H,W,3\]/],
    ] as const)('refuses %s', (_, shape, message) => {
      const model = createResNet(TINY_RESNET);
      expect(() => model.forward(tf.zeros([...shape]))).toThrow(ShapeError);
      expect(() => model.forward(tf.zeros([...shape]))).toThrow(message);
    });

    it('refuses a configuration that cannot be', () => {
      const cases: [Partial<ResNetConfig>, RegExp][] = [
        [{ depths: [] }, /^depths: expected at least one stage/],
        [{ depths: [1, 0] }, /^depths\[1\]: expected an integer >= 1, got 0/],
        [{ width: 0 }, /^width: /],
        [{ inChannels: 1.5 }, /^inChannels: /],
        [{ numClasses: -1 }, /^numClasses: expected an integer >= 0/],
        [{ insertEvery: [1] }, /^insertEvery: expected 2 integers, got \[1\]/],
        [{ insertEvery: [1, 0] }, /^insertEvery\[1\]: /],
        [{ stem: { kernel: 4, stride: 2, pool: true } }, /^stem\.kernel: expected an odd integer/],
        [{ stem: { kernel: 3, stride: 0, pool: true } }, /^stem\.stride: /],
      ];
      for (const [change, message] of cases) {
        expect(() => createResNet({ ...TINY_RESNET, ...change })).toThrow(ConfigError);
        expect(() => createResNet({ ...TINY_RESNET, ...change })).toThrow(message);
      }
      expect(() => resnetCost(TINY_RESNET, [8, 32, 32])).toThrow(/^input: expected \[H,W\]/);
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends('ResNet', (backend) => {
  it('is built of bottlenecks that compute their formula, shift and gate in their places', async () => {
    const temporal = { frames: 3, shiftDiv: 4 };
    const gate = recorder();
    const block = new Bottleneck({ inputs: 8, planes: 4, stride: 2, temporal, gate, rng: new Rng(3) });
    stir(block);
    const x = noise([6, 5, 4, 8]) as tf.Tensor4D;
    await expectNoLeak(() => block.forward(x));
    expect(gate.made[0]!.channels).toBe(4);
    expect(gate.made[0]!.gate.seen[0]).toEqual([2, 3, 3, 2, 4]);
    const { conv1, bn1, conv2, bn2, conv3, bn3, downsample } = block.eval();
    const reduced = tf.relu(bn1.forward(conv1.forward(temporalShift(x, temporal))));
    const gated = tf.relu(tf.mul(bn2.forward(conv2.forward(reduced)), gate.made[0]!.gate.scale.variable));
    const [shortcut, norm] = downsample!.items as [typeof conv1, BatchNorm];
    const residual = norm.forward(shortcut.forward(x));
    const expected = tf.relu(tf.add(bn3.forward(conv3.forward(gated as tf.Tensor4D)), residual));
    expect(expected.shape).toEqual([6, 3, 2, 16]);
    await expectClose(block.forward(x), expected);
  });

  it('gives the logits and gradients that cpu gives', async () => {
    const read = async () => {
      const config = { depths: [1, 1], width: 4, numClasses: 3, gate: squeezeExcitation({ reduction: 2 }) };
      const model = createResNet(config);
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
