import { ConfigError } from '@saccade/tensor-ops';
import { addPrefix, invertKeyMap, joinKeyMaps, type KeyMap, tsmKeys } from '@saccade/weights';
import { planStages, type ResNetVideoConfig, resolveResNetVideo } from './resnetConfig.ts';

/**
 * The map from `ResNetVideo` to MIT's TSM: `module.` in front, and `.net.` in the first convolution of every shifted
 * bottleneck of this configuration. (The map back is `TSM_KEYS` of `@saccade/weights`, for any configuration.)
 */
export function toTsmKeys(config: ResNetVideoConfig): KeyMap {
  return { ...joinKeyMaps(invertKeyMap(tsmKeys(shiftedBlocks(config))), addPrefix('module.')), name: 'to-tsm' };
}

/**
 * Names of MIT's TSM say which bottlenecks shift; those of a `ResNetVideo` do not, and weights of one would load into the
 * other without a word.
 *
 * @param names without `module.`
 * @throws ConfigError unless this configuration shifts in the same bottlenecks
 */
export function assertShifts(names: readonly string[], config: ResNetVideoConfig): void {
  const own = shiftedBlocks(config);
  const file = new Set(names.flatMap((name) => /^base_model\.(layer\d+\.\d+)\.conv1\.net\./.exec(name)?.[1] ?? []));
  if (own.length === file.size && own.every((block) => file.has(block))) return;
  if (own.length === 0) {
    throw new ConfigError('shiftDiv', '8, since the weights are those of a TSM', undefined, 'Build a TSM for them.');
  }
  throw new ConfigError(
    'insertEvery',
    `steps by which ${[...file].join(', ')} shift, as in the file of weights`,
    resolveResNetVideo(config).insertEvery,
    `This model shifts in ${own.join(', ')}. For TSM's own ResNet-101 it is [2, 2, 2, 2].`,
  );
}

/** The bottlenecks whose input is shifted in time: `layer1.0`, ... */
function shiftedBlocks(config: ResNetVideoConfig): string[] {
  const resolved = resolveResNetVideo(config);
  if (resolved.shiftDiv === undefined) return [];
  return planStages(resolved).flatMap((plans, s) =>
    plans.flatMap(({ inserts }, i) => (inserts ? [`layer${s + 1}.${i}`] : [])),
  );
}
