import { Linear, Module, type StateTensor } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { ConfigError, Rng } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { expectNoLeak } from '@saccade/vitest-preset';
import {
  addPrefix,
  applyKeyMap,
  invertKeyMap,
  type KeyMap,
  parseSafetensors,
  serializeSafetensors,
  TSM_KEYS,
} from '@saccade/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createBackbone,
  createResNet,
  createResNetVideo,
  createVisionTransformer,
  dropClassToken,
  fitWeights,
  inflateStateDict,
  LoadWeightsError,
  type LoadWeightsOptions,
  loadWeights,
  resizePositionEmbedding,
  toTsmKeys,
} from './index.ts';
import { Golden } from './testing/golden.ts';
import { stir, tinyConfig, tinyStructConfig } from './testing/tiny.ts';
import { TINY_RESNET, TINY_TSM } from './testing/tinyResNet.ts';
import { tinyVit } from './testing/tinyVit.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

type State = Map<string, StateTensor>;

/** A state dict whose every value differs from those of a new model. */
async function stateOf(model: Module): Promise<State> {
  stir(model);
  return await model.stateDict();
}

const renamed = (map: KeyMap, state: State) => applyKeyMap(map, state).state;
const prefixed = (prefix: string, state: State) => renamed(addPrefix(prefix), state);
const changed = (state: State, changes: Record<string, StateTensor | undefined>): State => {
  const copy = new Map(state);
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor) copy.set(name, tensor);
    else copy.delete(name);
  }
  return copy;
};

/** Loads, and expects an error that leaves the model as it was. */
async function refusal(model: Module, state: State, options?: LoadWeightsOptions): Promise<Error> {
  const before = await model.stateDict();
  const error = await loadWeights(model, state, options).then(
    () => expect.unreachable('it was loaded'),
    (thrown: unknown) => thrown as Error,
  );
  expect(await model.stateDict()).toEqual(before);
  return error as Error;
}

describe('loadWeights reads files of', () => {
  it("UniFormer's public code, images and clips", async () => {
    for (const [file, gridRank] of [
      ['uniformer_image_tiny', 2],
      ['uniformer_video_tiny', 3],
    ] as const) {
      const golden = await Golden.open(file);
      const model = createBackbone(golden.config({ gridRank }));
      const report = await loadWeights(model, prefixed('module.', golden.state));
      expect(report).toMatchObject({ layout: 'uniformer', map: 'identity', missing: [], unexpected: [], dropped: [] });
      expect([...report.loaded].sort()).toEqual([...golden.state.keys()].sort());
      for (const [name, { data }] of await model.stateDict()) expect(data, name).toEqual(golden.state.get(name)?.data);
    }
  });

  it("MIT's TSM", async () => {
    const source = createResNetVideo({ ...TINY_TSM, seed: 1 });
    const state = await stateOf(source);
    const model = createResNetVideo({ ...TINY_TSM, seed: 2 });
    const report = await loadWeights(model, renamed(toTsmKeys(source.config), state));
    expect(report).toMatchObject({ layout: 'tsm', map: 'tsm', missing: [], unexpected: [] });
    expect(await model.stateDict()).toEqual(state);
    const { shiftDiv, ...tsn } = TINY_TSM;
    const error = await refusal(createResNetVideo(tsn), renamed(invertKeyMap(TSM_KEYS), state));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/^shiftDiv: .*those of a TSM/);
  });

  it('torchvision, for images and to start a video model from', async () => {
    const state = await stateOf(createResNet({ ...TINY_RESNET, seed: 1 }));
    const images = createResNet({ ...TINY_RESNET, seed: 2 });
    expect(await loadWeights(images, state)).toMatchObject({ layout: 'resnet', map: 'identity' });
    expect(await images.stateDict()).toEqual(state);

    const clips = createResNetVideo({ ...TINY_TSM, seed: 3 });
    const own = (await clips.stateDict()).get('new_fc.weight');
    const report = await loadWeights(clips, state, { head: 'replace' });
    expect(report).toMatchObject({
      map: 'image-to-video',
      kept: ['new_fc.weight', 'new_fc.bias'],
      dropped: ['new_fc.weight', 'new_fc.bias'],
    });
    const loaded = await clips.stateDict();
    expect(loaded.get('base_model.layer2.1.conv2.weight')).toEqual(state.get('layer2.1.conv2.weight'));
    expect(loaded.get('new_fc.weight')).toEqual(own);
    // Of as many classes, the classifier of images can be that of clips.
    await loadWeights(clips, state);
    expect((await clips.stateDict()).get('new_fc.weight')).toEqual(state.get('fc.weight'));
  });

  it('AIA without dropout, whose classifier has another name', async () => {
    const state = await stateOf(createResNetVideo({ ...TINY_TSM, dropout: 0, seed: 1 }));
    expect(state.has('base_model.fc.weight')).toBe(true);
    const model = createResNetVideo({ ...TINY_TSM, seed: 2 });
    expect(await loadWeights(model, prefixed('module.', state))).toMatchObject({ layout: 'resnet-video' });
    expect((await model.stateDict()).get('new_fc.bias')).toEqual(state.get('base_model.fc.bias'));
  });

  it('PyTorch before 0.4.1, without counters, as PyTorch does', async () => {
    const state = await stateOf(createResNet({ ...TINY_RESNET, seed: 1 }));
    const counters = [...state.keys()].filter((name) => name.endsWith('num_batches_tracked'));
    const old = changed(state, Object.fromEntries(counters.map((name) => [name, undefined])));
    const model = createResNet({ ...TINY_RESNET, seed: 2 });
    const seven = { dtype: 'int64', shape: [], data: BigInt64Array.of(7n) };
    model.loadStateDict(changed(state, Object.fromEntries(counters.map((name) => [name, seven]))));
    expect((await loadWeights(model, old)).zeroed).toEqual(counters);
    expect((await model.stateDict()).get('bn1.num_batches_tracked')?.data).toEqual(BigInt64Array.of(0n));
    // One that lacks some is another thing.
    const error = await refusal(model, changed(state, { 'bn1.num_batches_tracked': undefined }));
    expect(error.message).toMatch(/1 missing in the weights:\n {2}bn1\.num_batches_tracked/);
  });

  it('DeiT, and DeiT III with its names of layer scale and no position for the class token', async () => {
    const config = tinyVit(2, undefined, { pooling: 'token', layerScale: 0.1, inputSize: [12, 12] });
    const state = await stateOf(createVisionTransformer({ ...config, seed: 1 }));
    const model = createVisionTransformer({ ...config, seed: 2 });
    expect(await loadWeights(model, state)).toMatchObject({ layout: 'vit', map: 'identity' });

    const positions = state.get('pos_embed') as StateTensor;
    const channels = positions.shape[2] as number;
    const data = (positions.data as Float32Array).slice(channels);
    const meta = new Map(
      [...state].map(([name, tensor]): [string, StateTensor] => [
        name.replace(/ls([12])\.gamma$/, 'gamma_$1'),
        name === 'pos_embed' ? { ...tensor, shape: [1, 9, channels], data } : tensor,
      ]),
    );
    expect(await loadWeights(model, meta)).toMatchObject({ layout: 'deit3', map: 'deit3' });
    const loaded = await model.stateDict();
    expect(loaded.get('blocks.1.ls2.gamma')).toEqual(state.get('blocks.1.ls2.gamma'));
    const embedding = loaded.get('pos_embed')?.data as Float32Array;
    expect(embedding.slice(0, channels)).toEqual(new Float32Array(channels));
    expect(embedding.slice(channels)).toEqual(data);

    const distilled = changed(state, { dist_token: state.get('cls_token') });
    const error = await refusal(model, distilled);
    expect(error.message).toMatch(/those of a distilled DeiT.*without "distilled" in its name/);
  });

  it('any reader, of which it takes only what it needs', async () => {
    const state = await stateOf(createResNet({ ...TINY_RESNET, seed: 1 }));
    const file = parseSafetensors(serializeSafetensors(state as Parameters<typeof serializeSafetensors>[0]));
    const asked: string[] = [];
    const seen: number[] = [];
    const model = createResNet({ ...TINY_RESNET, numClasses: 0, seed: 2 });
    await loadWeights(
      model,
      {
        names: file.names,
        info: (name) => file.info(name),
        get: async (name) => {
          asked.push(name);
          return file.get(name);
        },
      },
      { head: 'drop', onProgress: ({ done, total }) => seen.push(done / total) },
    );
    expect(asked.sort()).toEqual([...model.stateShapes().keys()].sort());
    expect(seen.at(-1)).toBe(1);
    expect(seen).toHaveLength(asked.length);
    await loadWeights(model, file, { head: 'drop' });
    await expect(
      loadWeights(model, state, { head: 'drop', signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
  });
});

describe('loadWeights changes weights only when told to', () => {
  it('over time', async () => {
    const state = await stateOf(createBackbone({ ...tinyConfig(2), seed: 1 }));
    const clips = createBackbone({ ...tinyConfig(3), seed: 2 });
    const error = await refusal(clips, state);
    expect(error.message).toMatch(/patch_embed1\.proj\.weight: expected \[8,3,3,4,4\], got \[8,3,4,4\]/);
    expect(error.message).toContain('pass { inflate: true } to spread them over time');
    const report = await loadWeights(clips, state, { inflate: true });
    const own = await clips.stateDict();
    expect(report.inflated).toContain('blocks1.0.attn.weight');
    expect(report.inflated).not.toContain('blocks3.0.attn.qkv.weight');
    for (const [name, { data }] of inflateStateDict(state, own)) expect(own.get(name)?.data, name).toEqual(data);
  });

  it('to another grid', async () => {
    const config = tinyVit(2, undefined, { inputSize: [12, 12], pooling: 'token' });
    const state = await stateOf(createVisionTransformer({ ...config, seed: 1 }));
    const large = createVisionTransformer({ ...config, inputSize: [16, 20], seed: 2 });
    expect((await refusal(large, state)).message).toMatch(
      /pos_embed: expected \[1,21,16\], got \[1,10,16\]\nThe positions are those of another grid: pass \{ resizePositions: true \}/,
    );
    expect((await loadWeights(large, state, { resizePositions: true })).resized).toEqual(['pos_embed']);
    const expected = resizePositionEmbedding(state, [4, 5]);
    expect((await large.stateDict()).get('pos_embed')).toEqual(expected.get('pos_embed'));

    const back = createVisionTransformer({ ...config, seed: 3 });
    const wide = await large.stateDict();
    await expect(loadWeights(back, wide, { resizePositions: true })).rejects.toThrow(/square number of positions/);
    await loadWeights(back, wide, { resizePositions: { from: [4, 5] } });
    expect((await back.stateDict()).get('pos_embed')).toEqual(
      resizePositionEmbedding(wide, [3, 3], { from: [4, 5] }).get('pos_embed'),
    );
  });

  it('from images to clips, over time and to another grid at once', async () => {
    const state = await stateOf(createVisionTransformer({ ...tinyVit(2), inputSize: [12, 12], seed: 1 }));
    const clips = createVisionTransformer({ ...tinyVit(3), seed: 2 });
    const report = await loadWeights(clips, state, { inflate: true, resizePositions: true });
    expect(report).toMatchObject({ inflated: ['patch_embed.proj.weight'], resized: ['pos_embed'] });
    expect((await clips.stateDict()).get('pos_embed')).toEqual(
      resizePositionEmbedding(state, [2, 3, 4]).get('pos_embed'),
    );
  });

  it('without the classifier', async () => {
    const state = await stateOf(createBackbone({ ...tinyConfig(2), seed: 1 }));
    const model = createBackbone({ ...tinyConfig(2), numClasses: 3, seed: 2 });
    const own = await model.stateDict();
    expect((await refusal(model, state)).message).toBe(
      [
        'weights: they do not fit this model; nothing was loaded.',
        "The weights are for 10 classes (head.weight is [10,16]), the model has 3: pass { head: 'replace' } to keep the " +
          "model's new classifier, or build the model with { numClasses: 10 }.",
      ].join('\n'),
    );
    const report = await loadWeights(model, state, { head: 'replace' });
    expect(report).toMatchObject({ kept: ['head.weight', 'head.bias'], dropped: ['head.weight', 'head.bias'] });
    const loaded = await model.stateDict();
    expect(loaded.get('head.weight')).toEqual(own.get('head.weight'));
    expect(loaded.get('norm.weight')).toEqual(state.get('norm.weight'));
  });

  it('but for the classifier of token labels, which is only for training', async () => {
    const config = { ...tinyConfig(2), tokenLabelling: true };
    const state = await stateOf(createBackbone({ ...config, seed: 1 }));
    const report = await loadWeights(createBackbone(tinyConfig(2)), state);
    expect(report.dropped).toEqual(['aux_head.weight', 'aux_head.bias']);
    const plain = await stateOf(createBackbone(tinyConfig(2)));
    const error = (await refusal(createBackbone(config), plain)) as LoadWeightsError;
    expect(error.report.missing).toEqual(['aux_head.weight', 'aux_head.bias']);
  });
});

describe('loadWeights explains', () => {
  it('names, with those that are near', async () => {
    const model = createBackbone(tinyConfig(2));
    const state = await stateOf(createBackbone(tinyConfig(2)));
    const bias = state.get('norm.bias');
    const error = (await refusal(
      model,
      changed(state, { 'norm.bias': undefined, 'norm.beta': bias }),
    )) as LoadWeightsError;
    expect(error).toBeInstanceOf(LoadWeightsError);
    expect(error.report).toEqual({ missing: ['norm.bias'], unexpected: ['norm.beta'], misshapen: [] });
    expect(error.message).toBe(
      [
        'weights: they do not fit this model; nothing was loaded.',
        '1 missing in the weights:',
        '  norm.bias (near: norm.beta)',
        '1 unexpected in the weights:',
        '  norm.beta (near: norm.bias)',
        'Load weights of this architecture, or pass { strict: false } to leave out what is missing or unexpected.',
      ].join('\n'),
    );
    const report = await loadWeights(model, changed(state, { 'norm.bias': undefined, 'norm.beta': bias }), {
      strict: false,
    });
    expect(report).toMatchObject({ missing: ['norm.bias'], unexpected: ['norm.beta'] });
    expect(report.loaded).not.toContain('norm.bias');
    expect((await model.stateDict()).get('norm.weight')).toEqual(state.get('norm.weight'));
  });

  it.each([
    [
      'another architecture',
      async () => refusal(createBackbone(tinyConfig(2)), await stateOf(createResNet(TINY_RESNET))),
      /names are those of torchvision's or timm's ResNet, and the model is UniFormer or another backbone of stages/,
    ],
    [
      'plain attention for StructSA',
      async () => refusal(createBackbone(tinyStructConfig(2)), await stateOf(createBackbone(tinyConfig(2)))),
      /blocks3\.0\.attn\.conv_k\.weight[\s\S]*warmStartFromUniFormer\(\)/,
    ],
    [
      'layer scale',
      async () =>
        refusal(createBackbone(tinyConfig(2)), await stateOf(createBackbone({ ...tinyConfig(2), layerScale: 1 }))),
      /It has layer scale: build the model with \{layerScale: 1e-6\}\.$/,
    ],
    [
      'a class token too many',
      async () =>
        refusal(
          createVisionTransformer(tinyVit(2)),
          await stateOf(createVisionTransformer(tinyVit(2, undefined, { pooling: 'token' }))),
        ),
      /no class token: pass what dropClassToken\(\) makes/,
    ],
    [
      'a class token too few',
      async () =>
        refusal(
          createVisionTransformer(tinyVit(2, undefined, { pooling: 'token' })),
          dropClassToken(await stateOf(createVisionTransformer(tinyVit(2, undefined, { pooling: 'token' })))),
        ),
      /has a class token: build one with \{ pooling: 'mean' \}/,
    ],
    [
      'TSM with the shift elsewhere',
      async () =>
        refusal(
          createResNetVideo(TINY_TSM),
          new Map([['module.base_model.layer1.0.net.conv1.weight', { dtype: 'float32', shape: [1], data: [0] }]]),
        ),
      /shift around whole blocks\. It shifts the input.*Take a file with "blockres" in its name/,
    ],
  ])('%s', async (_, refuse, message) => {
    expect((await refuse()).message).toMatch(message);
  });

  it('a prefix, which a map takes off', async () => {
    const state = await stateOf(createBackbone(tinyConfig(2)));
    const model = createBackbone({ ...tinyConfig(2), seed: 5 });
    expect((await refusal(model, prefixed('student.backbone.', state))).message).toMatch(
      /Its names begin with "student\.backbone\.": take that off/,
    );
    const map = invertKeyMap(addPrefix('student.backbone.'));
    expect((await loadWeights(model, prefixed('student.backbone.', state), { map })).map).toBe(map.name);
    expect(await model.stateDict()).toEqual(state);
  });

  it('heads that cannot be', async () => {
    const state = await stateOf(createResNet(TINY_RESNET));
    const headless = createResNet({ ...TINY_RESNET, numClasses: 0 });
    expect((await refusal(headless, state, { head: 'replace' })).message).toMatch(
      /^head: expected 'drop', since the model has no/,
    );
    expect((await refusal(createResNet(TINY_RESNET), state, { head: 'drop' })).message).toMatch(
      /^head: expected 'replace', since/,
    );
    expect((await refusal(createResNet(TINY_RESNET), state, { head: 'none' as 'drop' })).message).toMatch(/got "none"/);
    expect((await refusal(new Linear(2, 2, { rng: new Rng(1) }), new Map(), { head: 'replace' })).message).toMatch(
      /'keep', since it is not known/,
    );
  });

  it('positions of a model whose grid it does not know', async () => {
    class Positions extends Module {
      readonly table = this.parameter('pos_embed', [1, 4, 2]);
    }
    const state = new Map([['pos_embed', { dtype: 'float32', shape: [1, 9, 2], data: new Float32Array(18) }]]);
    expect((await refusal(new Positions(), state, { resizePositions: true })).message).toMatch(
      /grid of this model is not known/,
    );
  });
});

describe('fitWeights', () => {
  it('gives the weights under the names of the model, loads nothing and keeps no tensor', async () => {
    const state = await stateOf(createResNetVideo({ ...TINY_TSM, seed: 1 }));
    const model = createResNetVideo({ ...TINY_TSM, seed: 2, numClasses: 3 });
    const before = await model.stateDict();
    await expectNoLeak(async () => {
      const { state: fitted, report } = await fitWeights(model, renamed(toTsmKeys(TINY_TSM), state), {
        head: 'replace',
      });
      expect([...fitted.keys()]).toEqual(report.loaded);
      expect(fitted.get('base_model.layer1.0.conv1.weight')).toBe(state.get('base_model.layer1.0.conv1.weight'));
      expect(fitted.has('new_fc.weight')).toBe(false);
    });
    expect(await model.stateDict()).toEqual(before);
  });

  it('works with StructViT, whose names only add to those of UniFormer', async () => {
    const config = tinyConfig(2, structSA({ detectors: 2 }));
    const state = await stateOf(createBackbone({ ...config, seed: 1 }));
    const model = createBackbone({ ...config, seed: 2 });
    await expectNoLeak(async () => {
      await loadWeights(model, state);
    });
    expect(await model.stateDict()).toEqual(state);
  });
});
