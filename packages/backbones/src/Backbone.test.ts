import {
  type BatchNorm,
  type Cost,
  type Grid,
  Linear,
  type MixerContext,
  type MixerSpec,
  Module,
  plainAttention,
} from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { ConfigError, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { Backbone, backboneCost, createBackbone, picoVideoConfig } from './index.ts';
import { noise, stir, take, tinyConfig, tinyStructConfig } from './testing/tiny.ts';

describeOnBackends(
  'Backbone',
  () => {
    it.each([
      ['images', 2, [2, 64, 32, 3], [[2, 16, 8, 8], [2, 8, 4, 8], [2, 4, 2, 16], [2, 2, 1, 16]]], // biome-ignore format: a row a case
      ['clips', 3, [1, 5, 32, 64, 3], [[1, 3, 8, 16, 8], [1, 3, 4, 8, 8], [1, 3, 2, 4, 16], [1, 3, 1, 2, 16]]], // biome-ignore format: a row a case
    ] as const)(
      'gives logits, pooled features and the maps that featureInfo describes: %s',
      async (_, rank, shape, maps) => {
        const model = createBackbone(tinyStructConfig(rank)).eval();
        const x = noise(shape);
        await expectNoLeak(async () => {
          const intermediates = model.forwardIntermediates(x);
          const features = model.forwardFeatures(x);
          const pooled = model.forwardPooled(x);
          const logits = model.forward(x);
          expect(intermediates.map((map) => map.shape)).toEqual(maps);
          expect(features.shape).toEqual(maps[3]);
          expect(pooled.shape).toEqual([shape[0], 16]);
          expect(logits.shape).toEqual([shape[0], 10]);
          for (const [s, { name, dim, stride, temporalStride }] of model.featureInfo.entries()) {
            expect(name).toBe(`stage${s + 1}`);
            const map = maps[s]!;
            expect([map.at(-1), map.at(-3), map.at(-2)]).toEqual([dim, shape.at(-3)! / stride, shape.at(-2)! / stride]);
            if (rank === 3) expect(map[1]).toBe(Math.ceil(shape[1] / temporalStride));
          }
          const normalized = model.norm.forward(intermediates[3]!);
          const head = tf.tidy(() => model.head.forward(pooled));
          await expectClose(features, normalized);
          await expectClose(head, logits);
          return [...intermediates, features, pooled, logits, normalized, head];
        });
      },
    );

    it.each([
      ['images', 2, [1, 45, 71, 3], [1, 2, 16]],
      ['clips of 7 frames', 3, [1, 7, 33, 40, 3], [4, 1, 1, 16]],
      ['clips of one frame', 3, [1, 1, 32, 32, 3], [1, 1, 1, 16]],
    ] as const)('takes sizes that are no multiples of a patch: %s', (_, rank, shape, last) => {
      const model = createBackbone(tinyStructConfig(rank));
      expect(model.forwardFeatures(noise(shape)).shape).toEqual([1, ...last]);
      expect(model.forward(noise(shape)).shape).toEqual([1, 10]);
    });

    it('gives the mean over all positions to its classifier', async () => {
      const model = createBackbone(tinyStructConfig(2)).eval();
      stir(model);
      const x = noise([2, 64, 64, 3]);
      const features = model.forwardFeatures(x);
      await expectClose(model.forwardPooled(x), tf.mean(features, [1, 2]));
    });

    it.each([2, 3] as const)('has the parameters that backboneCost counts, grid of %i axes', (rank) => {
      const configs = [
        tinyConfig(rank),
        { ...tinyStructConfig(rank), layerScale: 1e-5 },
        { ...tinyConfig(rank, structSA({ detectors: 3, stride: 2, kernelK: 5, sharedFilters: 'v' })), mlpRatio: 2.5 },
      ];
      for (const config of rank === 3 ? [...configs, picoVideoConfig(structSA())] : configs) {
        const model = createBackbone(config);
        const input: Grid = rank === 2 ? [64, 64] : [8, 64, 64];
        expect(model.parameterCount()).toBe(backboneCost(config, input).params);
        model.dispose();
      }
    });

    it('draws all weights from its seed', async () => {
      const states = await Promise.all(
        [4, 4, 5].map((seed) => createBackbone({ ...tinyStructConfig(2), seed }).stateDict()),
      );
      expect(states[0]).toEqual(states[1]);
      for (const [name, tensor] of states[0]!) {
        // Biases of Linear layers, norms and counters start from constants.
        const drawn = new Set(Array.from(tensor.data as ArrayLike<number | bigint>)).size > 1;
        if (drawn) expect(tensor.data, name).not.toEqual(states[2]!.get(name)!.data);
      }
    });

    it('gives the same logits every time in evaluation mode, whatever the rest of the batch', async () => {
      const model = createBackbone({ ...tinyStructConfig(2), dropPath: 0.5 }).eval();
      stir(model);
      const x = noise([3, 32, 32, 3]);
      const state = await model.stateDict();
      const logits = await take(model.forward(x));
      expect(await take(model.forward(x))).toEqual(logits);
      const alone = await take(model.forward(tf.slice(x, [1], [1])));
      await expectClose(alone, logits.subarray(10, 20));
      expect(await model.stateDict()).toEqual(state);
    });

    it('in training mode drops paths and updates running statistics', async () => {
      const model = createBackbone({ ...tinyStructConfig(2), dropPath: 0.9 });
      expect(model.training).toBe(true);
      const x = noise([2, 32, 32, 3]);
      const logits = await take(model.forward(x));
      expect(await take(model.forward(x))).not.toEqual(logits);
      const norms = [...model.namedModules()].filter(([, module]) => module.constructor.name === 'BatchNorm');
      expect(norms).toHaveLength(5); // two in each convolution block, one at the end
      for (const [name, module] of norms) {
        const { batches, runningMean } = module as BatchNorm;
        expect(batches.value, name).toBe(2n);
        expect(Math.max(...(await runningMean.variable.data()).map(Math.abs)), name).toBeGreaterThan(0);
      }
      // 0.1 * (mean of the batch), after one step: the first norm's input does not depend on what is dropped.
      const once = createBackbone(tinyStructConfig(2));
      once.forward(x);
      const block = once.stages[0]!.items[0] as unknown as {
        norm1: BatchNorm;
        posEmbed: { forward(x: tf.Tensor): tf.Tensor };
      };
      const patches = once.patchEmbeds[0]!.forward(x as tf.Tensor4D);
      const mean = tf.mean(tf.add(patches, block.posEmbed.forward(patches)), [0, 1, 2]);
      await expectClose(block.norm1.runningMean.variable, tf.mul(mean, 0.1));
    });

    it('gives the maps of chosen stages, in the order asked for, and computes no further', async () => {
      const model = createBackbone(tinyStructConfig(2)).eval();
      stir(model);
      const x = noise([1, 64, 32, 3]);
      const all = model.forwardIntermediates(x);
      await expectNoLeak(async () => {
        const chosen = model.forwardIntermediates(x, [2, 0]);
        expect(chosen.map((map) => map.shape)).toEqual([all[2]!.shape, all[0]!.shape]);
        await expectClose(chosen[0]!, all[2]!);
        await expectClose(chosen[1]!, all[0]!);
        return chosen;
      });
      // Only the last stage has a norm of its own, the one before the classifier.
      const normalized = model.forwardIntermediates(x, [1, 3], { normalize: true });
      await expectClose(normalized[0]!, all[1]!);
      await expectClose(normalized[1]!, model.norm.forward(all[3]!));
      expect(model.forwardIntermediates(x, [])).toEqual([]);
      model.stages[3]!.dispose();
      expect(model.forwardIntermediates(x, [2])[0]!.shape).toEqual(all[2]!.shape);
      for (const stages of [[4], [-1], [0.5], [1, 1]]) {
        expect(() => model.forwardIntermediates(x, stages)).toThrow(ConfigError);
        expect(() => model.forwardIntermediates(x, stages)).toThrow(
          /^stages: expected positions of stages, 0 to 3, each/,
        );
      }
    });

    it.each([
      ['images', 2, [2, 64, 32, 3], 2],
      ['clips', 3, [1, 5, 64, 32, 3], 6],
    ] as const)('labels tokens: %s', async (_, rank, shape, positions) => {
      const config = { ...tinyStructConfig(rank), tokenLabelling: true };
      const model = createBackbone(config).eval();
      stir(model);
      const x = noise(shape);
      const { logits, aux } = model.forwardTokenLogits(x);
      expect([logits.shape, aux.shape]).toEqual([
        [shape[0], 10],
        [shape[0], positions, 10],
      ]);
      const tokens = tf.reshape(model.forwardFeatures(x), [shape[0], positions, 16]);
      await expectClose(aux, model.auxHead!.forward(tokens));
      await expectClose(logits, model.head.forward(tf.mean(tokens, 1)));
      // logits + half the largest of the positions, by hand.
      const [whole, parts] = [await logits.data(), await aux.data()];
      const combined = whole.map((value, i) => {
        const [sample, label] = [Math.floor(i / 10), i % 10];
        const places = Array.from({ length: positions }, (_, n) => parts[(sample * positions + n) * 10 + label]!);
        return value + 0.5 * Math.max(...places);
      });
      await expectNoLeak(async () => {
        const y = model.forward(x);
        await expectClose(y, combined);
        return y;
      });
      const trained = createBackbone(config);
      const [training, apart] = [trained.forward(x), trained.forwardTokenLogits(x)];
      await expectClose(training, apart.logits);
      expect([...(await model.stateDict()).keys()].slice(-4)).toEqual(
        ['head', 'aux_head'].flatMap((head) => [`${head}.weight`, `${head}.bias`]),
      );
      expect((await model.stateDict()).get('aux_head.weight')?.shape).toEqual([10, 16]);
      expect(model.parameterCount()).toBe(backboneCost(config, rank === 2 ? [64, 32] : [5, 64, 32]).params);
    });

    it('without a token-labelling head refuses to label tokens', () => {
      const model = createBackbone(tinyConfig(2));
      expect(model.auxHead).toBeUndefined();
      const call = () => model.forwardTokenLogits(noise([1, 32, 32, 3]));
      expect(call).toThrow(ConfigError);
      expect(call).toThrow(/^tokenLabelling: expected a model with an aux_head.*\{tokenLabelling: true\}/);
    });

    it('takes a mixer for each block', async () => {
      const { stages, ...config } = tinyConfig(2);
      const mixer = [structSA({ detectors: 1 }), plainAttention()];
      const model = createBackbone({ ...config, stages: stages.map((s, i) => (i === 2 ? { ...s, mixer } : s)) });
      const names = [...model.namedParameters().keys()];
      expect(names.filter((name) => name.includes('conv_k'))).toEqual(['blocks3.0.attn.conv_k.weight']);
      expect(names).toContain('blocks3.1.attn.qkv.weight');
      expect(model.parameterCount()).toBe(backboneCost(model.config, [64, 64]).params);
      const short = { ...config, stages: stages.map((s, i) => (i === 3 ? { ...s, mixer } : s)) };
      expect(() => createBackbone(short)).toThrow(
        /^stages\[3\]\.mixer: expected one mixer, or one for each of 1 blocks, got "2 mixers"/,
      );
    });

    it('leaves nothing behind when a mixer cannot be built, however late', () => {
      const { stages, ...config } = tinyConfig(2);
      const mixer: MixerSpec = {
        name: 'half',
        cost: plainAttention().cost,
        create: (context) => {
          plainAttention().create(context);
          throw new ConfigError('mixer', 'one that can be built', 'half of one');
        },
      };
      const before = { ...tf.memory() };
      const variables = Object.keys(tf.engine().registeredVariables).length;
      const build = () =>
        createBackbone({
          ...config,
          layerScale: 1,
          stages: stages.map((stage, s) => (s === 3 ? { ...stage, mixer } : stage)),
        });
      expect(build).toThrow(/^mixer: expected one that can be built/);
      expect(tf.memory().numTensors).toBe(before.numTensors);
      expect(tf.memory().numBytes).toBe(before.numBytes);
      expect(Object.keys(tf.engine().registeredVariables)).toHaveLength(variables);
      // What was there before is as it was.
      const other = createBackbone(tinyConfig(2));
      expect(build).toThrow(ConfigError);
      expect(other.forward(noise([1, 32, 32, 3])).shape).toEqual([1, 10]);
    });

    it('takes a new classifier and frees the old one', async () => {
      const model = createBackbone(tinyStructConfig(2)).eval();
      const x = noise([1, 32, 32, 3]);
      const pooled = await take(model.forwardPooled(x));
      const [old, tensors] = [model.head, tf.memory().numTensors];
      model.resetClassifier(3);
      expect(tf.memory().numTensors).toBe(tensors);
      expect(old.weight.variable.isDisposed).toBe(true);
      expect(model.forward(x).shape).toEqual([1, 3]);
      expect(model.head.training).toBe(false);
      expect(await take(model.forwardPooled(x))).toEqual(pooled);
      const state = await model.stateDict();
      expect([state.get('head.weight')?.shape, state.get('head.bias')?.shape]).toEqual([[3, 16], [3]]);
      expect(() => model.resetClassifier(0)).toThrow(/^numClasses: expected an integer >= 1, got 0/);
      expect(model.forward(x).shape).toEqual([1, 3]);
    });

    it('takes a new classifier of tokens with it', async () => {
      const model = createBackbone({ ...tinyStructConfig(2), tokenLabelling: true }).eval();
      const x = noise([1, 64, 32, 3]);
      const [old, tensors] = [model.auxHead!, tf.memory().numTensors];
      model.resetClassifier(3);
      expect(tf.memory().numTensors).toBe(tensors);
      expect(old.weight.variable.isDisposed).toBe(true);
      expect(model.forward(x).shape).toEqual([1, 3]);
      expect(model.forwardTokenLogits(x).aux.shape).toEqual([1, 2, 3]);
      expect(model.auxHead!.training).toBe(false);
      const state = await model.stateDict();
      expect(state.get('aux_head.weight')?.shape).toEqual([3, 16]);
      expect(state.get('aux_head.weight')?.data).not.toEqual(state.get('head.weight')?.data);
    });

    it('leaves no tensors after dispose, and cannot be used again', () => {
      const before = tf.memory().numTensors;
      const model = createBackbone({ ...tinyStructConfig(3), layerScale: 0.1 });
      const x = noise([1, 4, 32, 32, 3]);
      model.forward(x).dispose();
      model.resetClassifier(4);
      model.dispose();
      model.dispose();
      expect(() => model.forward(x)).toThrow(SaccadeError);
      expect(() => model.forward(x)).toThrow(/used after dispose/);
      x.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each([
      ['channels first', 2, [1, 3, 64, 64], /^x: expected shape \[B,H,W,3\], got \[1,3,64,64\]\. Channels come last/],
      ['a clip for an image model', 2, [1, 4, 64, 64, 3], /^x: expected shape \[B,H,W,3\], got \[1,4,64,64,3\]/],
      ['an image for a clip model', 3, [1, 64, 64, 3], /^x: expected shape \[B,T,H,W,3\], got \[1,64,64,3\]/],
      ['gray pixels', 2, [1, 64, 64, 1], /^x: expected shape \[B,H,W,3\], got \[1,64,64,1\]/],
      ['no batch', 2, [64, 64, 3], /^x: expected shape \[B,H,W,3\], got \[64,64,3\]/],
      ['a side below one patch of the last stage', 2, [1, 31, 64, 3], /^x: expected at least 32x32 pixels.*got 31x64/],
      ['a small clip', 3, [1, 4, 64, 16, 3], /^x: expected at least 32x32 pixels.*got 64x16/],
    ] as const)('refuses %s', (_, rank, shape, message) => {
      const model = createBackbone(tinyConfig(rank));
      const x = tf.zeros([...shape]);
      const before = tf.memory().numTensors;
      for (const call of [
        () => model.forward(x),
        () => model.forwardFeatures(x),
        () => model.forwardIntermediates(x),
      ]) {
        expect(call).toThrow(ShapeError);
        expect(call).toThrow(message);
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    it('takes any mixer in any stage', async () => {
      const model = new Backbone({
        gridRank: 2,
        numClasses: 4,
        stages: [
          { dim: 8, depth: 1, patch: { kernel: [4, 4] }, mixer: rowMeans(), headDim: 4 },
          { dim: 16, depth: 1, patch: { kernel: [2, 2] } },
          { dim: 16, depth: 2, patch: { kernel: [2, 2] }, mixer: structSA({ detectors: 2 }), headDim: 8 },
          { dim: 8, depth: 1, patch: { kernel: [1, 1] }, mixer: rowMeans(), headDim: 8 },
        ],
      });
      const first = model.stages[0]!.items[0] as unknown as { attn: RowMeans };
      expect(model.forward(noise([2, 32, 48, 3])).shape).toEqual([2, 4]);
      expect(first.attn.seen).toEqual([{ tokens: [2, 96, 8], grid: [8, 12] }]);
      expect(first.attn.context).toMatchObject({ dim: 8, heads: 2, gridRank: 2 });
      const state = await model.stateDict();
      expect(state.get('blocks1.0.attn.value.weight')?.shape).toEqual([8, 8]);
      expect(state.has('blocks2.0.conv1.weight')).toBe(true);
      expect(state.has('blocks3.1.attn.conv_k.weight')).toBe(true);
      expect(model.parameterCount()).toBe(backboneCost(model.config, [32, 48]).params);
      const weights = [...model.namedParameters().values()].map(({ variable }) => variable);
      const { grads } = tf.variableGrads(() => tf.mean(model.forward(noise([2, 32, 48, 3]))), weights);
      expect(grads[first.attn.value.weight.variable.name]?.shape).toEqual([8, 8]);
    });

    it('refuses a configuration that cannot be', () => {
      const [stage] = tinyConfig(2).stages;
      const config = (change: object) => () => createBackbone({ gridRank: 2, stages: [stage!], ...change });
      const withStage = (change: object) => config({ stages: [{ ...stage!, ...change }] });
      const cases: [() => unknown, RegExp][] = [
        [config({ gridRank: 4 }), /^gridRank: expected 2 \(images\) or 3 \(clips\), got 4/],
        [config({ stages: [] }), /^stages: expected at least one stage/],
        [config({ numClasses: 0 }), /^numClasses: expected an integer >= 1, got 0/],
        [config({ inChannels: 1.5 }), /^inChannels: .*got 1.5/],
        [config({ dropPath: 1 }), /^dropPath: expected a rate in \[0, 1\), got 1/],
        [config({ mlpRatio: 0.3 }), /^mlpRatio: .*got 0.3/],
        [withStage({ dim: 0 }), /^stages\[0\]\.dim: expected an integer >= 1, got 0/],
        [withStage({ depth: -1 }), /^stages\[0\]\.depth: expected an integer >= 0, got -1/],
        [
          withStage({ patch: { kernel: [3, 4, 4] } }),
          /^stages\[0\]\.patch\.kernel: expected 2 positive integers, got \[3,4,4\]/,
        ],
        [withStage({ patch: { kernel: [4, 4], temporalStride: 0 } }), /^stages\[0\]\.patch\.temporalStride: .*got 0/],
        [withStage({ patch: { kernel: [4, 0] } }), /^stages\[0\]\.patch\.kernel: .*got \[4,0\]/],
        [withStage({ mixer: structSA(), headDim: 3 }), /^stages\[0\]\.headDim: .*divides dim = 8, got 3/],
        [withStage({ mixer: structSA({ kernelK: 2 }), headDim: 8 }), /^kernelK: expected an odd size.*got 2/],
      ];
      for (const [build, message] of cases) {
        expect(build).toThrow(message);
        expect(build).toThrow(ConfigError);
      }
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends('Backbone', (backend) => {
  // The last norms see four positions at the least: over two, a normalisation leaves signs, and gradients cancel.
  it.each([
    [2, [2, 64, 32, 3]],
    [3, [2, 4, 32, 32, 3]],
  ] as const)('gives the logits and gradients that cpu gives, grid of %i axes', async (rank, shape) => {
    const read = async () => {
      const model = createBackbone({ ...tinyStructConfig(rank), layerScale: 0.5 });
      stir(model);
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
      // Gradients that are zero but for rounding, such as those before a normalisation, have no digits to compare.
      if (largest > 1e-4 * scale) await expectClose(actual.get(name)!, values, { tolerance: 1e-4 });
    }
    expect(actual.size).toBe(expected.size);
  });
});

/** A mixer of one's own: every token gets the mean of its row of the grid, after a Linear layer. */
class RowMeans extends Module {
  readonly value: Linear;
  readonly context: MixerContext;
  readonly seen: { tokens: number[]; grid: Grid }[] = [];

  constructor(context: MixerContext) {
    super();
    this.context = context;
    this.value = this.child('value', new Linear(context.dim, context.dim, { rng: context.rng }));
  }

  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    this.seen.push({ tokens: x.shape, grid });
    return tf.tidy(() => {
      const rows = tf.reshape(this.value.forward(x), [x.shape[0], -1, grid.at(-1) as number, x.shape[2]]);
      return tf.reshape(tf.add(tf.zerosLike(rows), tf.mean(rows, 2, true)), x.shape);
    });
  }
}

function rowMeans(): MixerSpec {
  return {
    name: 'row-means',
    create: (context) => new RowMeans(context),
    cost: ({ dim }): Cost => ({ params: dim * dim + dim, macs: 0, activationBytes: 0 }),
  };
}
