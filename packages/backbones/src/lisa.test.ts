import { LisaSelfAttention, lisa, resizeLisaTables } from '@saccade/lisa';
import { type Grid, plainAttention, WindowedMixer, windowed } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  Backbone,
  type BackboneConfig,
  backboneCost,
  createModel,
  createVisionTransformer,
  denseConfig,
  dropClassToken,
  lisaConfig,
  lisaVitConfig,
  listModels,
  loadWeights,
  type MixerBlock,
  modelInfo,
  resizePositionEmbedding,
  VisionTransformer,
  type VisionTransformerConfig,
  visionTransformerCost,
} from './index.ts';
import { noise, stir, take, tinyConfig } from './testing/tiny.ts';

const PICO_VIT: VisionTransformerConfig = {
  gridRank: 2,
  inputSize: [16, 16],
  patch: { kernel: [4, 4] },
  dim: 8,
  depth: 2,
  headDim: 4,
  mixer: lisa({ patterns: 2 }),
  numClasses: 3,
};

/** Images of 64x64, clips of 4 frames of 64x64. */
function pico(gridRank: 2 | 3, changes: Partial<BackboneConfig> = {}): BackboneConfig {
  const inputSize: Grid = gridRank === 2 ? [64, 64] : [4, 64, 64];
  return { ...tinyConfig(gridRank, lisa({ patterns: 2 })), inputSize, ...changes };
}

/** The tables of a model, by name. */
function tableShapes(model: Backbone | VisionTransformer): Record<string, readonly number[]> {
  const tables = [...model.stateShapes()].filter(([name]) => name.includes('rpe_'));
  return Object.fromEntries(tables.map(([name, { shape }]) => [name, shape]));
}

describe('named models with LiSA', () => {
  // Specification section 8: parameters; billions of multiply-accumulates with all pairs, fast and plain transforms.
  it.each([
    ['lisa_vit_ti', 6_136_936],
    ['lisa_vit_s', 22_889_704],
    ['lisa_vit_b', 88_245_736],
    ['lisa_vit_ti_circular', 5_717_032 + 112_896],
    ['lisa_vit_s_circular', 22_049_896 + 225_792],
    ['lisa_vit_b_circular', 86_566_120 + 451_584],
    ['lisa_s', 22_076_712],
    ['lisa_b', 51_094_376],
  ])('%s has %i parameters', (name, parameters) => {
    expect(modelInfo(name).params).toBe(parameters);
  });

  it.each([
    ['ti', 1.269, 1.516, 2.375],
    ['s', 4.618, 5.114, 6.831],
    ['b', 17.56, 18.551, 21.985],
  ] as const)('LiSA-ViT of size %s takes %f G, %f G or %f G', (size, ...expected) => {
    const macs = (['dense', 'fft', 'dft'] as const).map(
      (compute) => visionTransformerCost(lisaVitConfig(size, { lisa: { compute } })).macs / 1e9,
    );
    expect(macs.map((billions) => Math.round(billions * 1000) / 1000)).toEqual(expected);
  });

  it('LiSA-S and -B take 3.66 G and 8.31 G', () => {
    expect((modelInfo('lisa_s').macs / 1e9).toFixed(2)).toBe('3.66');
    expect((modelInfo('lisa_b').macs / 1e9).toFixed(2)).toBe('8.31');
  });

  it('keep their parameters where the cost of another size is asked for', () => {
    for (const name of ['lisa_vit_ti', 'lisa_s']) {
      const [own, larger] = [modelInfo(name), modelInfo(name, { input: [384, 384] })];
      expect(larger.params).toBe(own.params);
      expect(larger.macs).toBeGreaterThan(2.5 * own.macs);
    }
  });

  it('are what they are listed as', async () => {
    await setupBackend('wasm');
    expect(listModels('lisa_*')).toEqual(
      ['b', 'b_video', 's', 's_video']
        .concat(['b', 's', 'ti'].flatMap((size) => [`vit_${size}`, `vit_${size}_circular`]))
        .map((name) => `lisa_${name}`)
        .sort(),
    );
    using model = createModel('lisa_vit_ti', { numClasses: 5 });
    expect(model).toBeInstanceOf(VisionTransformer);
    expect(model.parameterCount()).toBe(modelInfo('lisa_vit_ti', { numClasses: 5 }).params);
    expect(model.clsToken).toBeUndefined();
    using backbone = createModel('lisa_s', { numClasses: 5 });
    expect(backbone).toBeInstanceOf(Backbone);
    expect(backbone.parameterCount()).toBe(modelInfo('lisa_s', { numClasses: 5 }).params);
  });

  it('can have LiSA in early stages, in windows, and on clips', () => {
    const windowsOf = ({ stages }: BackboneConfig) => stages.map(({ mixer }) => (mixer as { name?: string })?.name);
    expect(windowsOf(lisaConfig('s'))).toEqual([
      undefined,
      undefined,
      'lisa-structure-8-zero',
      'lisa-structure-8-zero',
    ]);
    const early = lisaConfig('s', { lisaStages: [1, 2, 4], windows: { 1: 14, 2: [7, 14] }, lisa: { patterns: 4 } });
    expect(windowsOf(early)).toEqual([
      'lisa-structure-4-zero in 14x14 windows',
      'lisa-structure-4-zero in 7x14 windows',
      undefined,
      'lisa-structure-4-zero',
    ]);
    // 14x14 windows of one head, and 7x14 of two: 27x27 and 13x27 offsets; 13x13 for eight heads.
    const tables = 2 * 4 * (3 * 27 * 27 + 4 * 2 * 13 * 27 + 3 * 8 * 13 * 13);
    const plain = { ...early, stages: early.stages.map((s) => (s.mixer ? { ...s, mixer: plainAttention() } : s)) };
    const params = (config: BackboneConfig) => backboneCost(config, [224, 224]).params;
    expect(params(early) - params(plain)).toBe(tables);
    // 8x14x14 positions of 16 frames: 15x27x27 offsets.
    const clips = lisaConfig('s', { gridRank: 3, lisaStages: [3] });
    const without = { ...clips, stages: clips.stages.map((s) => (s.mixer ? { ...s, mixer: plainAttention() } : s)) };
    const videoParams = (config: BackboneConfig) => backboneCost(config, [16, 224, 224]).params;
    expect(videoParams(clips) - videoParams(without)).toBe(8 * 2 * 5 * 8 * 15 * 27 * 27);
    expect(() => lisaConfig('s', { lisaStages: [5 as never] })).toThrow(
      /lisaStages: expected stages out of \[1,2,3,4\]/,
    );
    expect(() => lisaConfig('s', { windows: { 1: 7 } })).toThrow(/windows: expected windows in stages with LiSA/);
  });
});

describeOnBackends(
  'backbones with LiSA',
  () => {
    it('build tables for the grid of every stage', () => {
      using images = new Backbone(pico(2));
      expect(tableShapes(images)).toMatchObject({
        'blocks3.0.attn.rpe_p': [2, 2, 7, 7],
        'blocks4.0.attn.rpe_u': [2, 2, 3, 3],
      });
      expect(images.parameterCount()).toBe(backboneCost(pico(2), [64, 64]).params);
      using clips = new Backbone(pico(3));
      expect(tableShapes(clips)).toMatchObject({ 'blocks3.1.attn.rpe_u': [2, 2, 3, 7, 7] });
      expect(clips.parameterCount()).toBe(backboneCost(pico(3), [8, 96, 96]).params);
      using wide = new Backbone(pico(2, { inputSize: [64, 96] }));
      expect(tableShapes(wide)).toMatchObject({ 'blocks3.0.attn.rpe_p': [2, 2, 7, 11] });
    });

    it.each([
      [
        'images',
        2,
        [
          [1, 64, 64, 3],
          [1, 96, 128, 3],
        ],
      ],
      [
        'clips',
        3,
        [
          [1, 4, 64, 64, 3],
          [1, 7, 64, 96, 3],
        ],
      ],
    ] as const)('run at the size they are built for and at others: %s', async (_, rank, sizes) => {
      using model = new Backbone(pico(rank)).eval();
      stir(model);
      for (const size of sizes) {
        const x = noise(size);
        await expectNoLeak(async () => {
          const [logits, maps] = [model.forward(x), model.forwardIntermediates(x)];
          expect(logits.shape).toEqual([1, 10]);
          expect(maps[2]?.shape.slice(-3)).toEqual([(size.at(-3) as number) / 16, (size.at(-2) as number) / 16, 16]);
          expect((await logits.data()).every(Number.isFinite)).toBe(true);
          return [logits, ...maps];
        });
        x.dispose();
      }
    });

    it('see with resized tables what they see with tables loaded for the size', async () => {
      using small = new Backbone(pico(2)).eval();
      stir(small);
      using large = new Backbone(pico(2, { inputSize: [96, 128] })).eval();
      large.loadStateDict(resizeLisaTables(await small.stateDict(), large.stateShapes()));
      const x = noise([1, 96, 128, 3]);
      await expectClose(await take(large.forward(x)), await take(small.forward(x)), { tolerance: 2e-5 });
      x.dispose();
    });

    it('work in windows, with the tables of a window', async () => {
      const mixer = windowed(lisa({ patterns: 2 }), 2);
      // Windows of images are known without an input size.
      const { inputSize: _, ...config } = pico(2, tinyConfig(2, mixer));
      using model = new Backbone(config).eval();
      expect(tableShapes(model)).toMatchObject({ 'blocks3.0.attn.rpe_p': [2, 2, 3, 3] });
      const x = noise([1, 80, 64, 3]);
      await expectNoLeak(() => model.forward(x));
      using dense = new Backbone(denseConfig(pico(2), { window: 2, globalEvery: 2 }));
      const mixers = dense.stages[2]?.items.map((block) => (block as MixerBlock).attn);
      expect(mixers?.[0]).toBeInstanceOf(WindowedMixer);
      expect(mixers?.[1]).toBeInstanceOf(LisaSelfAttention);
      expect(tableShapes(dense)).toMatchObject({
        'blocks3.0.attn.rpe_p': [2, 2, 3, 3],
        'blocks3.1.attn.rpe_p': [2, 2, 7, 7],
      });
      x.dispose();
    });

    it('differentiate through every table', async () => {
      using model = new Backbone(pico(2));
      stir(model);
      const x = noise([2, 64, 64, 3]);
      const { value, grads } = tf.variableGrads(() => tf.mean(tf.square(model.forward(x))));
      for (const [name, { variable }] of model.namedParameters()) {
        if (!name.includes('rpe_')) continue;
        const largest = tf.max(tf.abs(grads[variable.name] as tf.Tensor));
        expect((await take(largest))[0], name).toBeGreaterThan(0);
      }
      tf.dispose([value, grads, x]);
    });

    it('in vision transformers start from the weights of plain attention, less the class token', async () => {
      using plain = createVisionTransformer({ ...PICO_VIT, mixer: plainAttention(), pooling: 'token' });
      using model = createVisionTransformer(PICO_VIT);
      const { missing, unexpected } = await loadWeights(model, dropClassToken(await plain.stateDict()), {
        strict: false,
      });
      expect(unexpected).toEqual([]);
      expect(missing).toEqual(Object.keys(tableShapes(model)));
    });

    it('in vision transformers resize tables and positions, on the way and in state dicts', async () => {
      using small = createVisionTransformer(PICO_VIT).eval();
      stir(small);
      using large = createVisionTransformer({ ...PICO_VIT, inputSize: [24, 16] }).eval();
      const state = resizePositionEmbedding(await small.stateDict(), large.config.grid);
      large.loadStateDict(resizeLisaTables(state, large.stateShapes()));
      const x = noise([2, 24, 16, 3]);
      await expectClose(await take(large.forward(x)), await take(small.forward(x)), { tolerance: 2e-5 });
      await expectNoLeak(() => small.forwardIntermediates(x, [1]));
      x.dispose();
    });
  },
  { backends: ['cpu', 'wasm'] },
);

describe('backbones refuse', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  it('LiSA without an input size, and say what to do; nothing is left behind', () => {
    const before = tf.memory().numTensors;
    const { inputSize: _, ...config } = pico(2);
    expect(() => new Backbone(config)).toThrow(ConfigError);
    expect(() => new Backbone(config)).toThrow(/give the backbone an `inputSize`, such as \[224, 224\]/);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    [[64], /inputSize: expected \[H,W\], positive integers, got \[64\]/],
    [[4, 64, 64], /inputSize: expected \[H,W\]/],
    [[64, 0], /inputSize: expected \[H,W\], positive integers/],
    [[64, 16], /inputSize: expected at least one position in every stage, got \[64,16\]/],
  ])('the input size %j', (inputSize, message) => {
    expect(() => new Backbone(pico(2, { inputSize: inputSize as unknown as Grid }))).toThrow(message);
  });

  it('a class token beside LiSA', () => {
    expect(() => createVisionTransformer({ ...PICO_VIT, pooling: 'token' })).toThrow(/takes no class token/);
  });
});
