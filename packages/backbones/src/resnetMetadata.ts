import type { FeatureGateSpec } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { type ResNetVideoConfig, resolveResNetVideo } from './resnetConfig.ts';

/** What {@link resnetVideoMetadata} writes under `architecture`. */
const ARCHITECTURE = 'saccade-resnet-video-1';

/**
 * The configuration of a TSN or TSM as metadata of a file of weights: safetensors of `@saccade/weights` take it as is.
 *
 * Weights alone do not tell it: TSN and TSM, and the operators of Attention in Attention, have the same names and shapes.
 */
export function resnetVideoMetadata(config: ResNetVideoConfig): Map<string, string> {
  const { depths, width, stem, inChannels, numClasses, gate, insertEvery, frames, shiftDiv, dropout } =
    resolveResNetVideo(config);
  const values = {
    architecture: ARCHITECTURE,
    depths: depths.join(','),
    width,
    stem: [stem.kernel, stem.stride, Number(stem.pool)].join(','),
    in_channels: inChannels,
    num_classes: numClasses,
    gate: gate?.name ?? 'none',
    insert_every: insertEvery.join(','),
    frames,
    shift_div: shiftDiv ?? 'none',
    dropout,
  };
  return new Map(Object.entries(values).map(([key, value]) => [key, String(value)]));
}

/**
 * The configuration that {@link resnetVideoMetadata} wrote, to build the model for a file of weights.
 *
 * @param gates those that may stand in it; the one whose name the metadata says is taken
 * @throws ConfigError for metadata of something else, a damaged value, or a gate that is not among `gates`
 */
export function resnetVideoConfigOf(
  metadata: ReadonlyMap<string, string>,
  gates: readonly FeatureGateSpec[] = [],
): ResNetVideoConfig {
  const text = (key: string) => {
    const value = metadata.get(key);
    if (value === undefined) throw new ConfigError(`metadata.${key}`, 'a value', value);
    return value;
  };
  const numbers = (key: string) => {
    const values = text(key).split(',').map(Number);
    if (values.some((value) => !Number.isFinite(value))) throw new ConfigError(`metadata.${key}`, 'numbers', text(key));
    return values;
  };
  const number = (key: string) => numbers(key)[0] as number;
  if (text('architecture') !== ARCHITECTURE) {
    throw new ConfigError(
      'metadata.architecture',
      ARCHITECTURE,
      text('architecture'),
      'Was it written for another model?',
    );
  }
  const [kernel, stride, pool] = numbers('stem') as [number, number, number];
  const gate = gateOf(text('gate'), gates);
  const config = {
    depths: numbers('depths'),
    width: number('width'),
    stem: { kernel, stride, pool: pool === 1 },
    inChannels: number('in_channels'),
    numClasses: number('num_classes'),
    insertEvery: numbers('insert_every'),
    frames: number('frames'),
    dropout: number('dropout'),
    ...(text('shift_div') === 'none' ? {} : { shiftDiv: number('shift_div') }),
    ...(gate ? { gate } : {}),
  };
  resolveResNetVideo(config);
  return config;
}

function gateOf(name: string, gates: readonly FeatureGateSpec[]): FeatureGateSpec | undefined {
  if (name === 'none') return undefined;
  const gate = gates.find((candidate) => candidate.name === name);
  if (gate) return gate;
  const known = gates.map((candidate) => candidate.name).join(', ') || 'none';
  throw new ConfigError('metadata.gate', `the name of one of the gates passed: ${known}`, name);
}
