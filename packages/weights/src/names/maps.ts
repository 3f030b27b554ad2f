import { addPrefix, IDENTITY_KEYS, type KeyMap, type KeyRule } from './keyMap.ts';
import { KeyMapError } from './keyMapError.ts';

/** torchvision's ResNet -> the ResNet of a TSN or TSM, which stands there as `base_model`. */
export const IMAGE_TO_VIDEO_KEYS: KeyMap = { ...addPrefix('base_model.'), name: 'image-to-video' };

/**
 * MIT's TSM -> ours, and AIA's. There the first convolution of a bottleneck lies in the wrapper that shifts: `conv1.net`.
 * The inverse wraps those of all bottlenecks, which is right for its ResNet-50; {@link tsmKeys} says which.
 */
export const TSM_KEYS: KeyMap = { name: 'tsm', rules: [shiftedConvolution('layer{s}.{i}')] };

/** {@link TSM_KEYS} for a network that shifts in some bottlenecks only: `['layer1.0', 'layer1.2', ...]`. */
export function tsmKeys(shifted: readonly string[]): KeyMap {
  return { name: 'tsm', rules: shifted.map(shiftedConvolution) };
}

function shiftedConvolution(block: string): KeyRule {
  return { from: `base_model.${block}.conv1.net.{leaf}`, to: `base_model.${block}.conv1.{leaf}` };
}

/** The layer scale of Meta's DeiT III -> timm's names of it. */
export const DEIT3_KEYS: KeyMap = {
  name: 'deit3',
  rules: [{ from: 'blocks.{i}.gamma_{n}', to: 'blocks.{i}.ls{n}.gamma' }],
};

/** The maps that have names, for commands and tables. */
const MAPS: readonly KeyMap[] = [IDENTITY_KEYS, IMAGE_TO_VIDEO_KEYS, TSM_KEYS, DEIT3_KEYS];

/** The names that {@link keyMap} knows. */
export function listKeyMaps(): string[] {
  return MAPS.map(({ name }) => name);
}

/** A map by its name. @throws KeyMapError UnknownMap, with the names that there are */
export function keyMap(name: string): KeyMap {
  const found = MAPS.find((map) => map.name === name);
  if (found) return found;
  throw new KeyMapError('UnknownMap', `there is no map of names "${name}". Known: ${listKeyMaps().join(', ')}.`);
}
