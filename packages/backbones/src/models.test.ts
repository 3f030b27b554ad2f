import { readFile } from 'node:fs/promises';
import { type MixerSpec, plainAttention } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { ConfigError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { blockMixers, resolveConfig } from './config.ts';
import { resolveDgt } from './dgtConfig.ts';
import {
  backboneCost,
  createModel,
  fourStages,
  listModels,
  type ModelConfig,
  modelConfig,
  modelInfo,
  type UniFormerSize,
  uniformerConfig,
} from './index.ts';
import { resolveResNetVideo } from './resnetConfig.ts';
import { resolveVisionTransformer } from './vitConfig.ts';

// Specification section 2.1: image with 1000 classes; video with 400 and 174.
const PARAMETERS: [size: UniFormerSize, detectors: number, image: number | null, k400: number, ssv: number][] = [
  ['s', 0, 21_545_256, 21_400_400, 21_284_462],
  ['b', 0, 49_776_552, 49_813_200, 49_697_262],
  ['l', 0, 99_427_304, 99_631_248, 99_486_382],
  ['s', 1, 21_618_984, 21_621_584, 21_505_646],
  ['s', 2, 21_692_712, 21_842_768, 21_726_830],
  ['s', 4, 21_840_168, 22_285_136, 22_169_198],
  ['s', 8, 22_135_080, 23_169_872, 23_053_934],
  ['b', 4, 50_495_400, 51_969_744, 51_853_806],
  ['b', 8, 51_214_248, 54_126_288, 54_010_350],
  ['l', 4, 100_524_008, 102_921_360, 102_776_494],
];

// Section 2.2: 224 image, 384 image, video (16 frames for S, 32 for B).
const MACS: [name: string, at224: number, at384: number, video: number | null][] = [
  ['uniformer_s', 3_631_774_208, 11_834_667_008, 41_662_541_824],
  ['structvit_s_4_2', 3_644_833_280, 11_865_190_400, 42_066_276_352],
  ['structvit_s_4_1', 4_285_517_312, 17_243_942_912, 81_840_271_360],
  ['structvit_s_8_1', 5_143_326_208, 24_415_612_928, 135_078_211_584],
  ['uniformer_b', 8_249_019_904, 27_140_747_264, 258_251_259_904],
  ['structvit_b_4_2', 8_280_996_352, 27_216_392_192, 260_881_973_248],
  ['structvit_b_4_1', 9_878_786_560, 40_629_432_320, 654_055_604_224],
  ['structvit_b_8_1', 12_017_488_384, 58_513_485_824, null],
  ['uniformer_l', 19_682_985_088, 62_672_002_048, null],
  ['structvit_l_4_1', 22_393_354_624, 85_125_274_624, null],
];

const mixerOf = (detectors: number): MixerSpec => (detectors === 0 ? plainAttention() : structSA({ detectors }));

describe('parameter counts of the specification, table 2.1', () => {
  it.each(PARAMETERS)('%s with D = %i', (size, detectors, image, k400, ssv) => {
    const mixer = mixerOf(detectors);
    const params = (gridRank: 2 | 3, numClasses: number) =>
      backboneCost(
        { ...uniformerConfig(size, { gridRank, mixer }), numClasses },
        gridRank === 2 ? [224, 224] : [8, 64, 64],
      ).params;
    expect([params(2, 1000), params(3, 400), params(3, 174)]).toEqual([image, k400, ssv]);
  });

  it('layer scale adds 2C per attention block: UniFormer-L 99,457,768', () => {
    expect(modelInfo('uniformer_l_ls').params).toBe(99_457_768);
    expect(modelConfig('uniformer_l_ls').layerScale).toBe(1e-6);
    expect(modelInfo('uniformer_b_ls').params - modelInfo('uniformer_b').params).toBe(20 * 640 + 7 * 1024);
  });

  it('token labelling adds a classifier of the last stage', () => {
    const added = (name: string, base: string) => modelInfo(name).params - modelInfo(base).params;
    expect(added('structvit_s_4_1_tl', 'structvit_s_4_1')).toBe(513_000);
    expect(added('uniformer_b_tl', 'uniformer_b')).toBe(513_000);
    expect(added('uniformer_l_ls_tl', 'uniformer_l_ls')).toBe(641_000);
    // 49 positions of 512 channels.
    expect(modelInfo('uniformer_s_tl').macs - modelInfo('uniformer_s').macs).toBe(49 * 512_000);
    // The public code's own figures: 22M and 11.9G at 384 pixels, with the head.
    expect((modelInfo('uniformer_s_tl', { input: [384, 384] }).macs / 1e9).toFixed(1)).toBe('11.9');
  });

  it('heads of 32 or 64 channels make no difference to parameters or MACs', () => {
    for (const [a, b] of [
      ['uniformer_s_tl', 'uniformer_s_tl_dim64'],
      ['uniformer_s_plus', 'uniformer_s_plus_dim64'],
    ] as const) {
      const [one, other] = [modelInfo(a), modelInfo(b)];
      expect([one.params, one.macs]).toEqual([other.params, other.macs]);
      expect([modelConfig(a), modelConfig(b)].map(({ stages }) => stages[2]?.headDim)).toEqual([32, 64]);
    }
  });

  it('the overlapping S+ is what its README says: 24M, 4.2G at 224 and 13.7G at 384 pixels', () => {
    const { params, macs } = modelInfo('uniformer_s_plus');
    // That at 384 pixels is of the model with token labels.
    const large = modelInfo('uniformer_s_plus_tl', { input: [384, 384] }).macs;
    expect([params / 1e6, macs / 1e9, large / 1e9].map((figure) => figure.toFixed(1))).toEqual(['24.0', '4.2', '13.7']);
    // Beside the blocks: 3x3 convolutions 3-32-64-128-320-512 with a norm each, the last norm and the classifier.
    const widths = [3, 32, 64, 128, 320, 512];
    const convs = widths.slice(1).reduce((sum, width, i) => sum + 9 * widths[i]! * width + 3 * width, 0);
    const mlp = (c: number) => 8 * c * c + 5 * c;
    const block = (c: number, mixing: number) => 10 * c + 4 * c + mixing + mlp(c);
    const local = (c: number) => block(c, 2 * (c * c + c) + 26 * c);
    const global = (c: number) => block(c, 4 * c * c + 4 * c);
    const blocks = 3 * local(64) + 5 * local(128) + 9 * global(320) + 3 * global(512);
    expect(params).toBe(convs + blocks + 2 * 512 + 513_000);
  });

  it.each(['uniformer_s', 'structvit_s_8_1_video', 'uniformer_s_plus_tl'])(
    '%s has them when it is built',
    async (name) => {
      await setupBackend('wasm');
      const model = createModel(name);
      expect(model.parameterCount()).toBe(modelInfo(name).params);
      model.dispose();
    },
  );
});

describe('MACs of the specification, table 2.2', () => {
  it.each(MACS)('%s', (name, at224, at384, video) => {
    expect(modelInfo(name).macs).toBe(at224);
    expect(modelInfo(name, { input: [384, 384] }).macs).toBe(at384);
    if (video !== null) expect(modelInfo(`${name}_video`).macs).toBe(video);
  });

  it('174 classes cost 512 * 226 MACs less than 400', () => {
    const macs = (numClasses: number) => modelInfo('structvit_s_4_2_video', { numClasses }).macs;
    expect(macs(400) - macs(174)).toBe(115_712);
  });

  it.each([
    [0, 2, [64, 64], 361_898, 4_562_688],
    [4, 2, [64, 64], 380_330, 4_955_904],
    [0, 3, [8, 64, 64], 373_706, 23_739_648],
    [4, 3, [8, 64, 64], 429_002, 29_293_824],
  ] as const)('small configuration, D = %i, %i axes', (detectors, gridRank, input, params, macs) => {
    const plan = { depths: [1, 1, 2, 1], dims: [16, 32, 64, 128], headDim: 16, gridRank, mixer: mixerOf(detectors) };
    expect(backboneCost({ ...fourStages(plan), numClasses: 10 }, input)).toMatchObject({ params, macs });
  });
});

function resolve(config: ModelConfig): unknown {
  if ('stages' in config) return resolveConfig(config);
  if ('dims' in config) return resolveDgt(config);
  return 'depths' in config ? resolveResNetVideo(config) : resolveVisionTransformer(config);
}

describe('the table of models', () => {
  it('lists by pattern, sorted', () => {
    expect(listModels('uniformer_?')).toEqual([]);
    expect(listModels('uniformer_*_video')).toEqual(['b', 'l', 'pico', 's'].map((size) => `uniformer_${size}_video`));
    expect(listModels()).toEqual([...listModels()].sort());
  });

  it('says which names are near an unknown one', () => {
    expect(() => modelInfo('structvit_s_4')).toThrow(ConfigError);
    expect(() => modelInfo('structvit_s_4')).toThrow(/structvit_s_4_1/);
    expect(() => modelConfig('resnet')).toThrow(/resnet50/);
    expect(() => modelConfig('mobilenet')).toThrow(/uniformer_s/);
  });

  it('refuses an input of another rank', () => {
    expect(() => modelInfo('uniformer_s', { input: [8, 224, 224] })).toThrow(/input: expected \[H,W\]/);
  });

  it('has a valid configuration and finite facts for every name', () => {
    const names = listModels();
    for (const name of names) {
      const config = modelConfig(name);
      const info = modelInfo(name);
      expect(() => resolve(config), name).not.toThrow();
      expect(info.name).toBe(name);
      expect(info.input.length, name).toBe('gridRank' in config ? config.gridRank : 'frames' in config ? 3 : 2);
      expect(info.numClasses, name).toBe(config.numClasses);
      expect(
        [info.summary, info.paper].every((text) => text.length > 10),
        name,
      ).toBe(true);
      for (const figure of [info.params, info.macs, info.activationBytes]) {
        expect(Number.isSafeInteger(figure) && figure > 0, name).toBe(true);
      }
    }
  });

  it('is the table of the README', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const rows = readme
      .split('\n')
      .filter((line) => /^\| `(deit|dgt|lisa|uniformer|structvit|resnet|tsn|tsm)\w+` \| \d+x/.test(line));
    const expected = listModels().flatMap((name) => {
      if (name.includes('pico')) return [];
      const { input, params, macs } = modelInfo(name);
      return `| \`${name}\` | ${input.join('x')} | ${(params / 1e6).toFixed(2)} | ${(macs / 1e9).toFixed(2)} |`;
    });
    expect(rows).toEqual(expected);
  });

  it('makes clips of an image model, and StructSA of what the name says', () => {
    const mixers = (name: `${'uniformer' | 'structvit'}_${string}`) =>
      modelConfig(name).stages.map((stage) => blockMixers(stage)[0]?.name);
    expect(mixers('uniformer_l')).toEqual([undefined, undefined, 'attention', 'attention']);
    expect(mixers('structvit_b_8_1')).toEqual([undefined, undefined, 'structsa-8-1', 'structsa-8-1']);
    expect(mixers('structvit_s_4_2_video')).toEqual([undefined, undefined, 'structsa-4-2', 'structsa-4-2']);
    expect([modelConfig('uniformer_s').gridRank, modelConfig('uniformer_s_video').gridRank]).toEqual([2, 3]);
    expect(['s', 'b', 'l'].map((size) => modelConfig(`uniformer_${size}`).dropPath)).toEqual([0.1, 0.3, 0.4]);
  });

  it('lets options replace what the table says', () => {
    const options = { numClasses: 7, dropPath: 0, seed: 3 };
    expect(modelConfig('structvit_s_4_1', options)).toMatchObject(options);
    const [own, other] = [modelInfo('uniformer_s'), modelInfo('uniformer_s', { numClasses: 10, input: [256, 256] })];
    expect(own.params - other.params).toBe(990 * 513);
    expect(other.macs).toBeGreaterThan(own.macs);
    expect(other).toMatchObject({ numClasses: 10, input: [256, 256] });
  });

  it.each(['structvit_pico_video', 'uniformer_pico_video'])('builds %s, which takes its input', async (name) => {
    await setupBackend('wasm');
    const { input, params, numClasses } = modelInfo(name);
    const model = createModel(name, { seed: 1 });
    expect(model.parameterCount()).toBe(params);
    const logits = tf.tidy(() => model.eval().forward(tf.zeros([2, ...input, 1])));
    expect(logits.shape).toEqual([2, numClasses]);
    expect([...(await logits.data())].every(Number.isFinite)).toBe(true);
    expect(model.forwardIntermediates(tf.zeros([1, ...input, 1])).map((map) => map.shape)).toEqual([
      [1, 4, 8, 8, 32],
      [1, 4, 4, 4, 64],
    ]);
    model.dispose();
  });

  it.each([
    ['unknown', 'mobilenet', /^name: expected a model of listModels\(\), got "mobilenet"\. Near: .*structvit_s_4_1/],
    ['misspelt', 'uniformer_xl', /Near: uniformer_b, uniformer_b_ls/],
    ['a property of objects', 'constructor', /^name: /],
    ['empty', '', /^name: /],
  ])('refuses a name that is %s, before anything is built', (_, name, message) => {
    for (const call of [() => createModel(name), () => modelConfig(name), () => modelInfo(name)]) {
      expect(call).toThrow(ConfigError);
      expect(call).toThrow(message);
    }
  });
});
