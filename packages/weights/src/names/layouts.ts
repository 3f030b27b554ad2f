import { IDENTITY_KEYS, type KeyMap } from './keyMap.ts';
import { KeyPattern } from './keyPattern.ts';
import { DEIT3_KEYS, IMAGE_TO_VIDEO_KEYS, TSM_KEYS } from './maps.ts';

/** A scheme of names that state dicts are known to have. */
export interface KeyLayout {
  readonly name: string;
  readonly title: string;
  /** forms of names, each of which at least one name has in a state dict of this layout */
  readonly marks: readonly string[];
  /** what the names of classifiers begin with */
  readonly heads: readonly string[];
  /** maps to other layouts, by their names */
  readonly maps: Readonly<Record<string, KeyMap>>;
  /** why no model here takes such weights, and what to take in their place */
  readonly refusal?: string;
}

/** A layout with more marks comes before the one whose marks it shares. */
export const KEY_LAYOUTS: readonly KeyLayout[] = [
  {
    name: 'uniformer',
    title: 'UniFormer or another backbone of stages',
    marks: ['patch_embed1.{rest*}', 'norm.{leaf}'],
    heads: ['head.', 'aux_head.'],
    maps: {},
  },
  {
    name: 'deit-distilled',
    title: 'a distilled DeiT',
    marks: ['dist_token', 'patch_embed.proj.{leaf}'],
    heads: ['head.', 'head_dist.'],
    maps: {},
    refusal:
      'It has a second class token (dist_token) and a second classifier (head_dist), which no model here has. ' +
      'Take the file of the same size without "distilled" in its name.',
  },
  {
    name: 'deit3',
    title: "Meta's DeiT III",
    marks: ['blocks.{i}.gamma_{n}', 'patch_embed.proj.{leaf}'],
    heads: ['head.'],
    maps: { vit: DEIT3_KEYS },
  },
  {
    name: 'vit',
    title: 'a vision transformer of DeiT or timm',
    marks: ['blocks.{i}.{rest*}', 'patch_embed.proj.{leaf}'],
    heads: ['head.'],
    maps: {},
  },
  {
    name: 'tsm',
    title: "MIT's TSM",
    marks: ['base_model.layer{s}.{i}.conv1.net.{leaf}'],
    heads: ['new_fc.', 'base_model.fc.'],
    maps: { 'resnet-video': TSM_KEYS },
  },
  {
    name: 'tsm-in-place',
    title: "MIT's TSM with the shift around whole blocks",
    marks: ['base_model.layer{s}.{i}.net.{rest*}'],
    heads: ['new_fc.', 'base_model.fc.'],
    maps: {},
    refusal:
      'It shifts the input of whole blocks, outside of the residual branch, which no model here does. ' +
      'Take a file with "blockres" in its name.',
  },
  {
    name: 'resnet-video',
    title: 'a TSN, a TSM, or one with gates of AIA',
    marks: ['base_model.conv1.weight', 'base_model.layer{s}.{i}.{rest*}'],
    heads: ['new_fc.', 'base_model.fc.'],
    maps: {},
  },
  {
    name: 'resnet',
    title: "torchvision's or timm's ResNet",
    marks: ['conv1.weight', 'layer{s}.{i}.{rest*}'],
    heads: ['fc.'],
    maps: { 'resnet-video': IMAGE_TO_VIDEO_KEYS },
  },
];

/** The layout of a state dict with these names, without the prefixes of wrappers; undefined if it is none of those known. */
export function keyLayoutOf(names: Iterable<string>): KeyLayout | undefined {
  const all = [...names];
  const found = (mark: string) => {
    const pattern = new KeyPattern(mark);
    return all.some((name) => pattern.match(name) !== undefined);
  };
  return KEY_LAYOUTS.find(({ marks }) => marks.every(found));
}

/** The map from one layout to another: the identity within one, and where one is unknown; undefined if there is none. */
export function keyMapBetween(from: KeyLayout | undefined, to: KeyLayout | undefined): KeyMap | undefined {
  if (from === undefined || to === undefined || from === to) return IDENTITY_KEYS;
  return from.maps[to.name];
}
