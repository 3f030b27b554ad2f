import type { StateDict, StateTensor } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { planStages, type ResNetVideoConfig, resolveResNetVideo } from './resnetConfig.ts';

/** One step of a renaming: the first match of `from` in a key is replaced; a key without a match stays as it is. */
export interface KeyRule {
  readonly from: RegExp;
  /** `$1` and so on stand for groups */
  readonly to: string;
}

/** How the keys of a layout become those of a model; rules apply one after the other, to every key. */
export interface KeyMap {
  readonly name: string;
  readonly rules: readonly KeyRule[];
  /** keys, as they are after the rules, that the model has no place for */
  readonly drop?: RegExp;
}

/** Training scripts wrap the model: DataParallel puts `module.` in front of every key, `torch.compile` `_orig_mod.`. */
const UNWRAP: readonly KeyRule[] = [
  { from: /^module\./, to: '' },
  { from: /^_orig_mod\./, to: '' },
];

/** torchvision's ResNet -> `ResNet`, whose keys are torchvision's. */
export const TORCHVISION_KEYS: KeyMap = { name: 'torchvision', rules: UNWRAP };

/** torchvision's ResNet -> `ResNetVideo`: an ImageNet start. The classifier of images is left out. */
export const TORCHVISION_TO_VIDEO_KEYS: KeyMap = {
  name: 'torchvision to video',
  rules: [...UNWRAP, { from: /^/, to: 'base_model.' }],
  drop: /^base_model\.fc\./,
};

/**
 * MIT's TSM -> `ResNetVideo`. A shifted convolution lies there in a wrapper, `conv1.net.weight`. (Networks with the shift
 * around whole blocks, `layer1.0.net.conv1.weight`, are others than ours, and their keys stay unknown to the model.)
 */
export const TSM_KEYS: KeyMap = { name: 'tsm', rules: [...UNWRAP, { from: /\.conv1\.net\./, to: '.conv1.' }] };

/** AIA's public code (TSN and TSM with gates) -> `ResNetVideo`, whose keys are its keys. */
export const AIA_KEYS: KeyMap = { name: 'aia', rules: UNWRAP };

/**
 * Renames the keys of a state dict.
 *
 * @throws ConfigError if two keys become one
 */
export function renameKeys<T extends StateTensor>(
  state: ReadonlyMap<string, T>,
  { rules, drop }: KeyMap,
): Map<string, T> {
  const renamed = new Map<string, T>();
  for (const [key, tensor] of state) {
    const name = rules.reduce((current, { from, to }) => current.replace(from, to), key);
    if (drop?.test(name)) continue;
    if (renamed.has(name))
      throw new ConfigError('state', 'keys that stay different', key, `Two of them become ${name}.`);
    renamed.set(name, tensor);
  }
  return renamed;
}

/**
 * The map back from `ResNetVideo` to MIT's TSM: `module.` in front, and `.net.` in the first convolution of every shifted
 * bottleneck of this configuration.
 */
export function toTsmKeys(config: ResNetVideoConfig): KeyMap {
  const resolved = resolveResNetVideo(config);
  const shifted =
    resolved.shiftDiv === undefined
      ? []
      : planStages(resolved).flatMap((plans, s) =>
          plans.flatMap(({ inserts }, i) => (inserts ? [`layer${s + 1}.${i}`] : [])),
        );
  const wrap = shifted.map(
    (block): KeyRule => ({
      from: new RegExp(`^(base_model\\.${block.replace('.', '\\.')}\\.conv1)\\.`),
      to: '$1.net.',
    }),
  );
  return { name: 'to tsm', rules: [...wrap, { from: /^/, to: 'module.' }] };
}

/** What kind of network a state dict is of, as far as its keys tell: {@link keyMapOf}. */
export function keyMapOf(state: StateDict): KeyMap {
  const keys = [...renameKeys(state, TORCHVISION_KEYS).keys()];
  if (keys.some((key) => key.includes('.conv1.net.'))) return TSM_KEYS;
  if (keys.some((key) => key.startsWith('base_model.'))) return AIA_KEYS;
  return TORCHVISION_TO_VIDEO_KEYS;
}
