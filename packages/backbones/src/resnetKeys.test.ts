import { type StateDict, squeezeExcitation } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AIA_KEYS,
  createResNet,
  createResNetVideo,
  keyMapOf,
  renameKeys,
  resnetVideoConfigOf,
  resnetVideoMetadata,
  TORCHVISION_KEYS,
  TORCHVISION_TO_VIDEO_KEYS,
  TSM_KEYS,
  toTsmKeys,
} from './index.ts';
import { TINY_RESNET, TINY_TSM } from './testing/tinyResNet.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

const rename = (state: StateDict, change: (key: string) => string) =>
  new Map([...state].map(([key, tensor]) => [change(key), tensor]));

describe('key maps', () => {
  it("read torchvision's files, those of a wrapped model too", async () => {
    const state = await createResNet({ ...TINY_RESNET, seed: 1 }).stateDict();
    const model = createResNet({ ...TINY_RESNET, seed: 2 });
    model.loadStateDict(renameKeys(rename(state, (key) => `module.${key}`), TORCHVISION_KEYS)); // biome-ignore format: one call
    expect(await model.stateDict()).toEqual(state);
  });

  it('start a video model from an image model, but for the classifier', async () => {
    const images = await createResNet({ ...TINY_RESNET, seed: 1 }).stateDict();
    const model = createResNetVideo({ ...TINY_TSM, seed: 2 });
    expect(keyMapOf(images)).toBe(TORCHVISION_TO_VIDEO_KEYS);
    const report = model.loadStateDict(renameKeys(images, TORCHVISION_TO_VIDEO_KEYS), { strict: false });
    expect(report).toEqual({ missing: ['new_fc.weight', 'new_fc.bias'], unexpected: [], misshapen: [] });
    const loaded = await model.stateDict();
    expect(loaded.get('base_model.layer2.1.conv2.weight')).toEqual(images.get('layer2.1.conv2.weight'));
  });

  it("read MIT's TSM files, with module. and .net., and write them", async () => {
    const model = createResNetVideo({ ...TINY_TSM, insertEvery: [1, 2] });
    const state = await model.stateDict();
    const file = renameKeys(state, toTsmKeys(model.config));
    expect([...file.keys()].filter((key) => key.includes('.net.'))).toEqual([
      'module.base_model.layer1.0.conv1.net.weight',
      'module.base_model.layer2.0.conv1.net.weight',
    ]);
    expect(file.has('module.base_model.layer2.1.conv1.weight')).toBe(true);
    expect(file.has('module.new_fc.bias')).toBe(true);
    expect(keyMapOf(file)).toBe(TSM_KEYS);
    expect(renameKeys(file, TSM_KEYS)).toEqual(state);
    const { shiftDiv, ...tsn } = TINY_TSM;
    expect([...renameKeys(state, toTsmKeys(tsn)).keys()].some((key) => key.includes('.net.'))).toBe(false);
  });

  it("read AIA's files, whose keys are ours behind a wrapper's", async () => {
    const state = await createResNetVideo(TINY_TSM).stateDict();
    const file = rename(state, (key) => `module.${key}`);
    expect(keyMapOf(file)).toBe(AIA_KEYS);
    expect(renameKeys(file, AIA_KEYS)).toEqual(state);
  });

  it('leave keys of other shifts alone, for strict loading to report', () => {
    const tensor = { dtype: 'float32', shape: [1], data: [0] };
    const around = new Map([['module.base_model.layer1.0.net.conv1.weight', tensor]]);
    expect([...renameKeys(around, TSM_KEYS).keys()]).toEqual(['base_model.layer1.0.net.conv1.weight']);
  });

  it('do not let two keys become one', () => {
    const tensor = { dtype: 'float32', shape: [1], data: [0] };
    const state = new Map([['conv1.weight', tensor], ['module.conv1.weight', tensor]]); // biome-ignore format: a pair
    expect(() => renameKeys(state, TORCHVISION_KEYS)).toThrow(ConfigError);
    expect(() => renameKeys(state, TORCHVISION_KEYS)).toThrow(/module\.conv1\.weight.*become conv1\.weight/);
  });
});

describe('metadata', () => {
  const gate = squeezeExcitation({ reduction: 4 });
  const configs = [
    TINY_TSM,
    { ...TINY_RESNET, frames: 5, dropout: 0, gate, insertEvery: [2, 1], inChannels: 1 },
    { ...TINY_TSM, stem: { kernel: 3, stride: 1, pool: false } },
  ];

  it.each(configs)('say how to build the model again: %j', async (config) => {
    const metadata = resnetVideoMetadata(config);
    expect([...metadata.values()].every((value) => typeof value === 'string')).toBe(true);
    const again = createResNetVideo(resnetVideoConfigOf(metadata, [squeezeExcitation(), gate]));
    const { seed, ...built } = createResNetVideo(config).config;
    expect(again.config).toMatchObject(built);
  });

  it('tell what weights do not', () => {
    const { shiftDiv, ...tsn } = TINY_TSM;
    expect(resnetVideoMetadata(TINY_TSM).get('shift_div')).toBe('4');
    expect(resnetVideoMetadata(tsn).get('shift_div')).toBe('none');
    expect(resnetVideoMetadata({ ...TINY_TSM, gate }).get('gate')).toBe('se-4');
  });

  it('of something else, damaged, or with an unknown gate are refused', () => {
    const metadata = resnetVideoMetadata({ ...TINY_TSM, gate });
    const changed = (key: string, value?: string) => {
      const copy = new Map(metadata);
      if (value === undefined) copy.delete(key);
      else copy.set(key, value);
      return () => resnetVideoConfigOf(copy, [gate]);
    };
    expect(() => resnetVideoConfigOf(metadata)).toThrow(/^metadata\.gate: .*passed: none, got "se-4"/);
    expect(changed('architecture', 'vit')).toThrow(
      /^metadata\.architecture: expected saccade-resnet-video-1, got "vit"/,
    );
    expect(changed('frames')).toThrow(/^metadata\.frames: expected a value, got undefined/);
    expect(changed('frames', 'eight')).toThrow(/^metadata\.frames: expected numbers, got "eight"/);
    expect(changed('frames', '0')).toThrow(/^frames: expected an integer >= 1, got 0/);
    expect(changed('depths', '1')).toThrow(ConfigError);
  });
});
