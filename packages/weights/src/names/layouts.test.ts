import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseSafetensors } from '../safetensors/parse.ts';
import { thrown } from '../testing/thrown.ts';
import { applyKeyMap, invertKeyMap } from './keyMap.ts';
import { KeyMapError } from './keyMapError.ts';
import { KEY_LAYOUTS, type KeyLayout, keyLayoutOf, keyMapBetween } from './layouts.ts';
import { DEIT3_KEYS, IMAGE_TO_VIDEO_KEYS, keyMap, listKeyMaps, TSM_KEYS, tsmKeys } from './maps.ts';

const GOLDEN = '../../../../tooling/conformance/golden/';

/** Names of a network that was run by the public code of its authors. */
async function golden(file: string): Promise<string[]> {
  const { names } = parseSafetensors(await readFile(new URL(`${GOLDEN}${file}.safetensors`, import.meta.url)));
  return names.filter((name) => name.startsWith('state.')).map((name) => name.slice('state.'.length));
}

const norm = (name: string) =>
  ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((leaf) => `${name}.${leaf}`);

/** torchvision's ResNet, from its description. */
function resnetNames(depths: readonly number[]): string[] {
  const blocks = depths.flatMap((depth, s) =>
    Array.from({ length: depth }, (_, i) => {
      const block = `layer${s + 1}.${i}`;
      const convs = [1, 2, 3].flatMap((n) => [`${block}.conv${n}.weight`, ...norm(`${block}.bn${n}`)]);
      return i > 0 ? convs : [...convs, `${block}.downsample.0.weight`, ...norm(`${block}.downsample.1`)];
    }).flat(),
  );
  return ['conv1.weight', ...norm('bn1'), ...blocks, 'fc.weight', 'fc.bias'];
}

/** MIT's files, without the prefix `module.`: the shift wraps the first convolution of a bottleneck. */
function tsmNames(depths: readonly number[], every = 1): string[] {
  const wrap = (name: string) =>
    name.replace(/^(base_model\.layer\d\.(\d+)\.conv1)\.weight$/, (whole, conv: string, i: string) =>
      Number(i) % every === 0 ? `${conv}.net.weight` : whole,
    );
  const base = resnetNames(depths).filter((name) => !name.startsWith('fc.'));
  return [...base.map((name) => wrap(`base_model.${name}`)), 'new_fc.weight', 'new_fc.bias'];
}

/** DeiT of Meta; `scale` names the layer scale of a block. */
function vitNames(scale: readonly string[] = []): string[] {
  const pair = (name: string) => [`${name}.weight`, `${name}.bias`];
  const blocks = [0, 1].flatMap((i) =>
    [...['norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.fc1', 'mlp.fc2'].flatMap(pair), ...scale].map(
      (name) => `blocks.${i}.${name}`,
    ),
  );
  return ['cls_token', 'pos_embed', ...pair('patch_embed.proj'), ...blocks, ...pair('norm'), ...pair('head')];
}

const rename = (map: Parameters<typeof applyKeyMap>[0], names: readonly string[]) => {
  const { state, report } = applyKeyMap(map, new Map(names.map((name) => [name, name])));
  return { names: [...state.keys()], oneWay: report.oneWay };
};

describe('layouts', () => {
  it.each([
    ['uniformer', () => golden('structsa/uniformer_image_tiny')],
    ['uniformer', () => golden('structsa/uniformer_video_tiny')],
    ['resnet-video', () => golden('aia/net_tiny_w8')],
    ['resnet', () => resnetNames([3, 4, 6, 3])],
    ['tsm', () => tsmNames([3, 4, 6, 3])],
    ['tsm-in-place', () => tsmNames([1]).map((name) => name.replace('.conv1.net.', '.net.conv1.'))],
    ['vit', () => vitNames()],
    ['vit', () => vitNames(['ls1.gamma', 'ls2.gamma'])],
    ['deit3', () => vitNames(['gamma_1', 'gamma_2'])],
    ['deit-distilled', () => [...vitNames(), 'dist_token', 'head_dist.weight', 'head_dist.bias']],
    [undefined, () => ['features.0.weight', 'classifier.weight']],
    [undefined, () => []],
  ])('%s is recognised by its names', async (expected, names) => {
    expect(keyLayoutOf(await names())?.name).toBe(expected);
  });

  it('lead to one another by maps, to themselves by the identity', () => {
    const of = (name: string) => KEY_LAYOUTS.find((layout) => layout.name === name) as KeyLayout;
    expect(keyMapBetween(of('tsm'), of('resnet-video'))).toBe(TSM_KEYS);
    expect(keyMapBetween(of('resnet'), of('resnet-video'))).toBe(IMAGE_TO_VIDEO_KEYS);
    expect(keyMapBetween(of('deit3'), of('vit'))).toBe(DEIT3_KEYS);
    expect(keyMapBetween(of('vit'), of('vit'))?.rules).toEqual([]);
    expect(keyMapBetween(undefined, of('vit'))?.rules).toEqual([]);
    expect(keyMapBetween(of('resnet'), of('vit'))).toBeUndefined();
    // Each target exists, each layout that nothing takes says why.
    for (const { maps, refusal, name } of KEY_LAYOUTS) {
      for (const target of Object.keys(maps)) expect(of(target), `${name} to ${target}`).toBeDefined();
      if (refusal !== undefined) expect(maps).toEqual({});
    }
  });
});

describe('maps', () => {
  it("read MIT's TSM and write it", () => {
    const ours = ['base_model.conv1.weight', 'base_model.layer3.5.conv1.weight', 'new_fc.bias'];
    expect(rename(invertKeyMap(TSM_KEYS), ours).names).toEqual([
      'base_model.conv1.weight',
      'base_model.layer3.5.conv1.net.weight',
      'new_fc.bias',
    ]);
    const file = tsmNames([3, 4, 6, 3]);
    const read = rename(TSM_KEYS, file);
    expect(read.names).toEqual(tsmNames([3, 4, 6, 3], Number.POSITIVE_INFINITY).map(withoutNet));
    expect(read.oneWay).toEqual([]);
    expect(rename(invertKeyMap(TSM_KEYS), read.names).names).toEqual(file);
  });

  it('say where only some bottlenecks shift, and can write those', () => {
    const file = tsmNames([3, 4, 23, 3], 2);
    const { names, oneWay } = rename(TSM_KEYS, file);
    expect(oneWay).toContain('base_model.layer3.1.conv1.weight');
    expect(oneWay).not.toContain('base_model.layer3.2.conv1.net.weight');
    const shifted = file.flatMap((name) => /^base_model\.(layer\d\.\d+)\.conv1\.net\./.exec(name)?.[1] ?? []);
    expect(rename(tsmKeys(shifted), file)).toEqual({ names, oneWay: [] });
    expect(rename(invertKeyMap(tsmKeys(shifted)), names).names).toEqual(file);
  });

  it("put torchvision's network where that of clips has it", () => {
    const { names, oneWay } = rename(IMAGE_TO_VIDEO_KEYS, resnetNames([3, 4, 6, 3]));
    expect(oneWay).toEqual([]);
    const clips = tsmNames([3, 4, 6, 3]).map(withoutNet);
    expect(names.filter((name) => !clips.includes(name))).toEqual(['base_model.fc.weight', 'base_model.fc.bias']);
    expect(clips.filter((name) => !names.includes(name))).toEqual(['new_fc.weight', 'new_fc.bias']);
  });

  it("turn the layer scale of DeiT III into timm's", () => {
    const { names, oneWay } = rename(DEIT3_KEYS, vitNames(['gamma_1', 'gamma_2']));
    expect(names).toEqual(vitNames(['ls1.gamma', 'ls2.gamma']));
    expect(oneWay).toEqual([]);
  });

  it('are found by name', () => {
    expect(listKeyMaps()).toEqual(['identity', 'image-to-video', 'tsm', 'deit3']);
    expect(keyMap('tsm')).toBe(TSM_KEYS);
    const error = thrown(() => keyMap('tms'), KeyMapError);
    expect(error.code).toBe('UnknownMap');
    expect(error.message).toContain('Known: identity, image-to-video, tsm, deit3.');
  });
});

function withoutNet(name: string): string {
  return name.replace('.net.', '.');
}
