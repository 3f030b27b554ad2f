import { type Cost, convCost, type Grid, linearCost, normCost, sequence } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import {
  type BottleneckPlan,
  EXPANSION,
  planStages,
  type ResNetConfig,
  type ResNetVideoConfig,
  type ResolvedResNet,
  resolveResNet,
  resolveResNetVideo,
} from './resnetConfig.ts';

/** [frames, height, width] of a map. */
type Map3 = readonly [number, number, number];

/**
 * Cost of a ResNet for one image of `input` [H, W], without building it.
 *
 * MACs count convolutions, the classifier and gates; no norm, pool or shift.
 *
 * @throws ConfigError for an input that is not [H, W]
 */
export function resnetCost(config: ResNetConfig, input: Grid): Cost {
  if (input.length !== 2) throw new ConfigError('input', '[H,W]', input);
  return networkCost(resolveResNet(config), [1, ...input]);
}

/**
 * Cost of a TSN or TSM for one clip of `input` [T, H, W], without building it; see {@link resnetCost}.
 *
 * @throws ConfigError for an input that is not [T, H, W] of the configured T
 */
export function resnetVideoCost(config: ResNetVideoConfig, input: Grid): Cost {
  const resolved = resolveResNetVideo(config);
  const { frames } = resolved;
  if (input.length !== 3 || input[0] !== frames) throw new ConfigError('input', `[${frames},H,W]`, input);
  return networkCost(resolved, input);
}

function networkCost(config: ResolvedResNet, input: Map3): Cost {
  const { width, stem, inChannels, numClasses } = config;
  const layers: Cost[] = [];
  let map = strided(input, stem.stride);
  layers.push(conv(input, map, inChannels, width, stem.kernel), norm(map, width));
  if (stem.pool) map = strided(map, 2);
  for (const plan of planStages(config).flat()) {
    const output = strided(map, plan.stride);
    layers.push(...bottleneckLayers(plan, map, output, config));
    map = output;
  }
  const dim = width * 2 ** (config.depths.length - 1) * EXPANSION;
  if (numClasses > 0) layers.push(linearCost(map[0], dim, numClasses));
  return sequence(layers);
}

function bottleneckLayers(
  { inputs, planes, stride, inserts }: BottleneckPlan,
  from: Map3,
  to: Map3,
  { gate }: ResolvedResNet,
): Cost[] {
  const outputs = planes * EXPANSION;
  return [
    conv(from, from, inputs, planes, 1),
    norm(from, planes),
    conv(from, to, planes, planes, 3),
    norm(to, planes),
    ...(inserts && gate ? [gate.cost({ channels: planes, grid: to })] : []),
    conv(to, to, planes, outputs, 1),
    norm(to, outputs),
    ...(stride === 1 && inputs === outputs ? [] : [conv(from, to, inputs, outputs, 1), norm(to, outputs)]),
  ];
}

function conv(from: Map3, to: Map3, inputs: number, outputs: number, kernel: number): Cost {
  return convCost({
    positions: { input: positions(from), output: positions(to) },
    channels: { input: inputs, output: outputs },
    taps: kernel * kernel,
  });
}

function norm(map: Map3, channels: number): Cost {
  return normCost(positions(map), channels);
}

/** A map after a stride, with padding of half an odd kernel. */
function strided([frames, height, width]: Map3, stride: number): Map3 {
  return [frames, Math.ceil(height / stride), Math.ceil(width / stride)];
}

function positions([frames, height, width]: Map3): number {
  return frames * height * width;
}
