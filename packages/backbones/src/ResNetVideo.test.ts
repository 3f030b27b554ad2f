import { type FeatureGateSpec, squeezeExcitation } from '@saccade/nn';
import { ConfigError, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  createModel,
  createResNet,
  createResNetVideo,
  modelConfig,
  modelInfo,
  picoTsmConfig,
  ResNetVideo,
  type ResNetVideoConfig,
  resnetVideoCost,
  tsmConfig,
  tsnConfig,
} from './index.ts';
import { resolveResNetVideo } from './resnetConfig.ts';
import { noise, stir, take } from './testing/tiny.ts';
import { recorder, TINY_RESNET, TINY_TSM } from './testing/tinyResNet.ts';

/** What a gate like CinST has and costs: 224 weights, 54 MACs for each value of four gates that each lack one axis. */
const fourGates: FeatureGateSpec = {
  ...recorder(),
  cost: ({ channels: c, grid: [t, h, w] }) => ({
    params: 224,
    macs: 54 * (t * h * w + c * h * w + t * c * w + t * h * c),
    activationBytes: 0,
  }),
};

// Specification section 2.3: classes, parameters, and with CinST or STinC in all 16 bottlenecks.
const PARAMETERS = [
  [174, 23_864_558, 23_868_142],
  [48, 23_606_384, 23_609_968],
  [106, 23_725_226, 23_728_810],
  [400, 24_327_632, 24_331_216],
] as const;

describe('counts of the specification, section 2.3', () => {
  it.each(PARAMETERS)('parameters with %i classes', (numClasses, plain, gated) => {
    const params = (config: ResNetVideoConfig) => resnetVideoCost({ ...config, numClasses }, [8, 224, 224]).params;
    expect([params(tsnConfig(50)), params(tsmConfig(50))]).toEqual([plain, plain]);
    expect(params(tsmConfig(50, { gate: fourGates }))).toBe(gated);
  });

  it('MACs: 32.700 G, and 32.830 G with CinST or STinC', () => {
    const macs = (gate?: FeatureGateSpec) =>
      resnetVideoCost({ ...tsmConfig(50, gate ? { gate } : {}), numClasses: 174 }, [8, 224, 224]).macs;
    expect((macs() / 1e9).toFixed(3)).toBe('32.700');
    expect((macs(fourGates) / 1e9).toFixed(3)).toBe('32.830');
    expect(modelInfo('tsm_resnet50').macs).toBe(macs());
    expect(modelInfo('tsm_resnet50', { input: [16, 224, 224] }).macs).toBe(2 * macs());
  });

  it('ResNet-101 has gates and shifts in every second of the 23 bottlenecks, and in all others', () => {
    const { params: plain } = resnetVideoCost(tsmConfig(101), [8, 224, 224]);
    const { params: gated } = resnetVideoCost(tsmConfig(101, { gate: fourGates }), [8, 224, 224]);
    expect(gated - plain).toBe(224 * (3 + 4 + 12 + 3));
    expect(resolveResNetVideo(tsmConfig(101)).insertEvery).toEqual([1, 1, 2, 1]);
  });

  it('tells TSM from TSN by its options only', () => {
    const { shiftDiv, ...rest } = modelConfig('tsm_resnet50');
    expect(shiftDiv).toBe(8);
    expect(rest).toEqual(modelConfig('tsn_resnet50'));
    expect(() => modelConfig('tsm_resnet50', { dropPath: 0.1 })).toThrow(/^dropPath: expected none for a ResNet/);
  });
});

describeOnBackends(
  'ResNetVideo',
  () => {
    it('gives logits, pooled features and the maps that featureInfo describes', async () => {
      const model = createResNetVideo(TINY_TSM).eval();
      const x = noise([2, 3, 33, 32, 3]);
      await expectNoLeak(async () => {
        const maps = model.forwardIntermediates(x);
        const [features, pooled] = [model.forwardFeatures(x), model.forwardPooled(x)];
        const [frames, logits] = [model.forwardFrames(x), model.forward(x)];
        expect(maps.map(({ shape }) => shape)).toEqual([[2, 3, 9, 8, 32], [2, 3, 5, 4, 64]]); // biome-ignore format: a pair
        expect([pooled.shape, frames.shape, logits.shape]).toEqual([[2, 64], [2, 3, 5], [2, 5]]); // biome-ignore format: a row
        await expectClose(features, maps[1]!);
        const means = [tf.mean(features, [1, 2, 3]), tf.mean(frames, 1)] as const;
        await expectClose(pooled, means[0]);
        await expectClose(logits, means[1]);
        return [...maps, features, pooled, frames, logits, ...means];
      });
    });

    it('as TSN gives the mean of what an image network gives for the frames', async () => {
      const { shiftDiv, ...tsn } = TINY_TSM;
      const model = createResNetVideo({ ...tsn, dropout: 0 }).eval();
      const images = createResNet(TINY_RESNET).eval();
      const state = await model.stateDict();
      images.loadStateDict(new Map([...state].map(([name, tensor]) => [name.replace('base_model.', ''), tensor])));
      const x = noise([2, 3, 32, 32, 3]);
      const frames = tf.reshape(images.forward(tf.reshape(x, [6, 32, 32, 3])), [2, 3, 5]);
      await expectClose(model.forward(x), tf.mean(frames, 1));
    });

    it('as TSN does not know the order of frames, as TSM does', async () => {
      const { shiftDiv, ...tsn } = TINY_TSM;
      const x = noise([1, 3, 32, 32, 3]);
      const turned = tf.reshape(tf.reverse(tf.reshape(x, [3, 32 * 32 * 3]), 0), x.shape);
      const logits = (config: ResNetVideoConfig, clip: tf.Tensor) => {
        const model = createResNetVideo(config).eval();
        stir(model);
        return take(model.forward(clip));
      };
      await expectClose(await logits(tsn, turned), await logits(tsn, x));
      const [there, back] = [await logits(TINY_TSM, x), await logits(TINY_TSM, turned)];
      await expect(expectClose(back, there, { tolerance: 0.01 })).rejects.toThrow(/relative error/);
    });

    it('puts gates where its configuration says, with clips as their maps', async () => {
      const gate = recorder();
      const model = createResNetVideo({ ...TINY_TSM, depths: [2, 3], gate, insertEvery: [1, 2] });
      model.forward(noise([2, 3, 32, 32, 3])).dispose();
      expect(gate.made.map(({ channels }) => channels)).toEqual([8, 8, 16, 16]);
      expect(gate.made.map(({ gate }) => gate.seen)).toEqual([[[2, 3, 8, 8, 8]], [[2, 3, 8, 8, 8]], [[2, 3, 4, 4, 16]], [[2, 3, 4, 4, 16]]]); // biome-ignore format: a list of shapes
      const names = [...(await model.stateDict()).keys()].filter((name) => name.endsWith('.scale'));
      const blocks = ['layer1.0', 'layer1.1', 'layer2.0', 'layer2.2'];
      expect(names).toEqual(blocks.map((block) => `base_model.${block}.gate.scale`));
    });

    it.each([
      ['eft', 'base_model.layer1.0.eft.scale'],
      ['', 'base_model.layer1.0.scale'],
    ])('names the state of gates as their spec says: "%s"', async (stateName, key) => {
      const model = createResNetVideo({ ...TINY_TSM, gate: recorder(stateName) });
      const state = await model.stateDict();
      expect(state.get(key)?.shape).toEqual([1]);
      state.set(key, { dtype: 'float32', shape: [1], data: Float32Array.of(7) });
      model.loadStateDict(state);
      expect((await model.stateDict()).get(key)?.data).toEqual(Float32Array.of(7));
    });

    it('has the parameters that resnetVideoCost counts', () => {
      for (const config of [TINY_TSM, { ...TINY_TSM, gate: squeezeExcitation({ reduction: 4 }) }, picoTsmConfig()]) {
        const model = createResNetVideo(config);
        expect(model.parameterCount()).toBe(resnetVideoCost(config, [config.frames!, 32, 32]).params);
        model.dispose();
      }
    });

    it('calls its classifier new_fc, or base_model.fc without dropout, and starts it small', async () => {
      for (const [dropout, name, other] of [
        [0.5, 'new_fc', 'base_model.fc'],
        [0, 'base_model.fc', 'new_fc'],
      ] as const) {
        const model = createResNetVideo({ ...TINY_TSM, dropout, numClasses: 100 });
        const state = await model.stateDict();
        expect(state.get(`${name}.weight`)?.shape).toEqual([100, 64]);
        expect(state.has(`${other}.weight`)).toBe(false);
        const weight = state.get(`${name}.weight`)!.data as Float32Array;
        const std = Math.sqrt(weight.reduce((sum, value) => sum + value * value, 0) / weight.length);
        expect(std / 0.001).toBeGreaterThan(0.97);
        expect(std / 0.001).toBeLessThan(1.03);
        model.eval().resetClassifier(3);
        expect(model.forward(noise([1, 3, 32, 32, 3])).shape).toEqual([1, 3]);
        expect((await model.stateDict()).get(`${name}.weight`)?.shape).toEqual([3, 64]);
        expect(model.head.training).toBe(false);
      }
    });

    it('drops pooled features in training, none in evaluation', async () => {
      const model = createResNetVideo({ ...TINY_TSM, dropout: 0.5 });
      stir(model);
      const x = noise([2, 3, 32, 32, 3]);
      const first = await take(model.forward(x));
      // The statistics of the batch are the same; what is dropped is not.
      await expect(expectClose(await take(model.forward(x)), first, { tolerance: 1e-3 })).rejects.toThrow();
      model.eval();
      expect(await take(model.forward(x))).toEqual(await take(model.forward(x)));
      const none = createResNetVideo({ ...TINY_TSM, dropout: 0 });
      expect(await take(none.forward(x))).toEqual(await take(none.forward(x)));
    });

    it('is built by name, for its input', async () => {
      const model = createModel('tsm_resnet_pico', { seed: 1 });
      expect(model).toBeInstanceOf(ResNetVideo);
      const { input, params, numClasses } = modelInfo('tsm_resnet_pico');
      expect(model.parameterCount()).toBe(params);
      expect(model.eval().forward(tf.zeros([2, ...input, 1])).shape).toEqual([2, numClasses]);
    });

    it('leaves no tensors after dispose, and cannot be used again', () => {
      const before = tf.memory().numTensors;
      const x = noise([1, 3, 32, 32, 3]);
      for (const dropout of [0, 0.5]) {
        const model = createResNetVideo({ ...TINY_TSM, dropout });
        model.forward(x).dispose();
        model.resetClassifier(4);
        model.dispose();
        expect(() => model.forward(x)).toThrow(SaccadeError);
      }
      x.dispose();
      const broken = { ...recorder(), create: () => { throw new ConfigError('gate', 'another', 1); } }; // biome-ignore format: one line
      expect(() => createResNetVideo({ ...TINY_TSM, gate: broken })).toThrow(/^gate: /);
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each([
      [
        'clips of another length',
        [1, 4, 32, 32, 3],
        /^x: expected shape \[B,3,H,W,3\], got \[1,4,32,32,3\]\. The model is for 3/,
      ],
      ['images', [3, 32, 32, 3], /^x: expected shape \[B,3,H,W,3\]/],
      ['channels first', [1, 3, 3, 32, 32], /^x: expected shape \[B,3,H,W,3\]/],
    ] as const)('refuses %s', (_, shape, message) => {
      const model = createResNetVideo(TINY_TSM);
      for (const call of [
        () => model.forward(tf.zeros([...shape])),
        () => model.forwardFeatures(tf.zeros([...shape])),
      ]) {
        expect(call).toThrow(ShapeError);
        expect(call).toThrow(message);
      }
    });

    it('refuses frames that are no whole clips, at the network within', () => {
      const { baseModel } = createResNetVideo(TINY_TSM);
      expect(() => baseModel.forward(tf.zeros([4, 32, 32, 3]))).toThrow(
        /^x: expected whole clips.*3 frames divide, got \[4,32,32,3\]/,
      );
    });

    it('refuses a configuration that cannot be', () => {
      const cases: [Partial<ResNetVideoConfig>, RegExp][] = [
        [{ frames: 0 }, /^frames: expected an integer >= 1, got 0/],
        [{ numClasses: 0 }, /^numClasses: expected an integer >= 1, got 0/],
        [{ dropout: 1 }, /^dropout: expected a rate in \[0, 1\), got 1/],
        [{ shiftDiv: 1 }, /^shiftDiv: expected an integer >= 2, got 1/],
        [{ shiftDiv: 9 }, /^shiftDiv: expected at most the width, 8, got 9/],
        [{ depths: [] }, /^depths: /],
      ];
      for (const [change, message] of cases) {
        expect(() => createResNetVideo({ ...TINY_TSM, ...change })).toThrow(ConfigError);
        expect(() => createResNetVideo({ ...TINY_TSM, ...change })).toThrow(message);
      }
      expect(() => resnetVideoCost(TINY_TSM, [8, 32, 32])).toThrow(/^input: expected \[3,H,W\]/);
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends('ResNetVideo', (backend) => {
  it('gives the logits and gradients that cpu gives', async () => {
    const read = async () => {
      const stem = { kernel: 3, stride: 2, pool: true };
      const model = createResNetVideo({ ...TINY_TSM, depths: [1, 1], stem, inChannels: 1, dropout: 0 });
      stir(model);
      const x = noise([2, 3, 9, 8, 1]);
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
