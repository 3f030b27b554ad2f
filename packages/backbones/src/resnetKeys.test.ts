import { squeezeExcitation } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { applyKeyMap, keyLayoutOf, TSM_KEYS, unwrapper } from '@saccade/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import { createResNet, createResNetVideo, resnetVideoConfigOf, resnetVideoMetadata, toTsmKeys } from './index.ts';
import { assertShifts } from './resnetKeys.ts';
import { TINY_RESNET, TINY_TSM } from './testing/tinyResNet.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

describe('names', () => {
  it("are torchvision's, and those of AIA's public code", () => {
    expect(keyLayoutOf(createResNet(TINY_RESNET).stateShapes().keys())?.name).toBe('resnet');
    expect(keyLayoutOf(createResNetVideo(TINY_TSM).stateShapes().keys())?.name).toBe('resnet-video');
  });

  it("become MIT's TSM's, with module. and .net., and come back", () => {
    const model = createResNetVideo({ ...TINY_TSM, insertEvery: [1, 2] });
    const shapes = model.stateShapes();
    const file = applyKeyMap(toTsmKeys(model.config), shapes).state;
    expect([...file.keys()].filter((key) => key.includes('.net.'))).toEqual([
      'module.base_model.layer1.0.conv1.net.weight',
      'module.base_model.layer2.0.conv1.net.weight',
    ]);
    expect(file.has('module.base_model.layer2.1.conv1.weight')).toBe(true);
    expect(file.has('module.new_fc.bias')).toBe(true);
    const bare = new Map([...file].map(([name, shape]) => [unwrapper([...file.keys()])(name), shape]));
    expect(applyKeyMap(TSM_KEYS, bare).state).toEqual(shapes);
    const { shiftDiv, ...tsn } = TINY_TSM;
    expect([...applyKeyMap(toTsmKeys(tsn), shapes).state.keys()].some((key) => key.includes('.net.'))).toBe(false);
  });

  it('of a TSM tell where it shifts', () => {
    const names = [0, 1, 2].map((i) => `base_model.layer1.${i}.conv1${i === 1 ? '' : '.net'}.weight`);
    assertShifts(names, { ...TINY_TSM, depths: [3], insertEvery: [2] });
    const shifted = () => assertShifts(names, { ...TINY_TSM, depths: [3] });
    expect(shifted).toThrow(ConfigError);
    expect(shifted).toThrow(
      /^insertEvery: expected steps by which layer1\.0, layer1\.2 shift.*got \[1\]\. This model shifts in layer1\.0, layer1\.1, layer1\.2\./,
    );
    const { shiftDiv, ...tsn } = TINY_TSM;
    expect(() => assertShifts(names, { ...tsn, depths: [3] })).toThrow(
      /^shiftDiv: expected 8, since the weights are those of a TSM/,
    );
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
