import { ConfigError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { KEY_LAYOUTS, keyLayoutOf, keyMapBetween, weightsId } from '@saccade/weights';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  checkpoint,
  createBackbone,
  createResNet,
  createResNetVideo,
  createVisionTransformer,
  listCheckpoints,
  listModels,
  modelInfo,
} from './index.ts';
import { tinyConfig } from './testing/tiny.ts';
import { TINY_RESNET, TINY_TSM } from './testing/tinyResNet.ts';
import { tinyVit } from './testing/tinyVit.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

describe('the catalogue', () => {
  const all = listCheckpoints();

  it('names each file once, of a model that takes it', () => {
    expect(all.length).toBeGreaterThan(20);
    for (const key of ['name', 'reference'] as const)
      expect(new Set(all.map((entry) => entry[key])).size).toBe(all.length);
    for (const { name, model, input, numClasses, sampling, layout } of all) {
      expect(name.startsWith(`${model}.`), name).toBe(true);
      expect(listModels(), name).toContain(model);
      expect(input.length, name).toBe(modelInfo(model).input.length);
      expect(sampling?.frames, name).toBe(input.length === 3 ? input[0] : undefined);
      expect(modelInfo(model, { input, numClasses }).params, name).toBeGreaterThan(1e6);
      expect(
        KEY_LAYOUTS.map((known) => known.name),
        name,
      ).toContain(layout);
    }
  });

  it('has references that can be fetched, and hashes as their publishers state them', () => {
    for (const { name, reference, file, sha256 } of all) {
      expect(weightsId(reference), name).toMatch(/^[0-9a-f]{64}$/);
      expect(reference.endsWith(`/${file}`), name).toBe(true);
      if (sha256 !== undefined) expect(sha256, name).toMatch(/^([0-9a-f]{8}|[0-9a-f]{64})$/);
      // Meta and torchvision name their files by the first digits.
      if (sha256?.length === 8) expect(file, name).toContain(`-${sha256}.pth`);
    }
  });

  it('marks all that nobody here has run, which is all', () => {
    expect(all.filter(({ verified }) => verified)).toEqual([]);
  });

  it.each([
    ['uniformer_', () => createBackbone(tinyConfig(2))],
    ['deit_', () => createVisionTransformer(tinyVit(2))],
    ['resnet', () => createResNet(TINY_RESNET)],
    ['ts', () => createResNetVideo(TINY_TSM)],
  ] as const)('has names for %s* that lead to those of its model', (family, create) => {
    using model = create();
    const own = keyLayoutOf(model.stateShapes().keys());
    const layouts = new Set(listCheckpoints(`${family}*`).map(({ layout }) => layout));
    expect(layouts.size).toBeGreaterThan(0);
    for (const layout of layouts) {
      const from = KEY_LAYOUTS.find(({ name }) => name === layout);
      expect(keyMapBetween(from, own), layout).toBeDefined();
    }
  });

  it('is searched by name, by model and by pattern', () => {
    expect(checkpoint('uniformer_s_video.k600').numClasses).toBe(600);
    expect(checkpoint('uniformer_s_video').name).toBe('uniformer_s_video.k400');
    expect(listCheckpoints('tsm_*.sthv?')).toEqual([]);
    expect(listCheckpoints('tsm_*.sthv*').map(({ name }) => name)).toEqual([
      'tsm_resnet50.sthv1',
      'tsm_resnet50.sthv2',
    ]);
    expect(() => checkpoint('uniformer_s_vidoe.k400')).toThrow(ConfigError);
    expect(() => checkpoint('uniformer_s_vidoe.k400')).toThrow(/Near: uniformer_s_video\.k400/);
    expect(() => checkpoint('zzz')).toThrow(/listCheckpoints\(\) has them all/);
  });
});
