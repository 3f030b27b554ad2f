import {
  type Cost,
  depthwiseCost,
  type Grid,
  gridTokens,
  linearCost,
  type MixerCostContext,
  type MixerSpec,
  normCost,
  sequence,
} from '@saccade/nn';
import { ConfigError, product } from '@saccade/tensor-ops';
import { cube } from './blocks.ts';
import {
  type BackboneConfig,
  blockMixers,
  patchGrid,
  type ResolvedConfig,
  resolveConfig,
  type StageConfig,
  stageGrids,
  stageHeads,
} from './config.ts';

/**
 * Cost of a backbone for one sample of `input` ([H, W] or [T, H, W]), without building it.
 *
 * MACs count convolutions, Linear layers and the two attention products, as the papers do; no bias, norm or softmax.
 * Parameters that depend on a grid are those of `config.inputSize` where there is one, not of `input`.
 */
export function backboneCost(config: BackboneConfig, input: Grid): Cost {
  const resolved = resolveConfig(config);
  if (input.length !== resolved.gridRank) {
    throw new ConfigError('input', resolved.gridRank === 3 ? '[T,H,W]' : '[H,W]', input);
  }
  const layers: Cost[] = [];
  const builtFor = resolved.inputSize && stageGrids(resolved.inputSize, resolved.stages);
  let grid = input;
  let inputs = resolved.inChannels;
  for (const [s, stage] of resolved.stages.entries()) {
    const weightsGrid = builtFor?.[s];
    layers.push(...patchLayers(grid, inputs, stage));
    grid = patchGrid(grid, stage.patch);
    const place = { grid, ...(weightsGrid ? { weightsGrid } : {}) };
    for (const mixer of blockMixers(stage)) layers.push(...blockLayers(stage, mixer, place, resolved));
    if (resolved.stageNorms) layers.push(normCost(gridTokens(grid), stage.dim));
    inputs = stage.dim;
  }
  const positions = gridTokens(grid);
  layers.push(normCost(positions, inputs), linearCost(1, inputs, resolved.numClasses));
  if (resolved.tokenLabelling) layers.push(linearCost(positions, inputs, resolved.numClasses));
  return sequence(layers);
}

/** A patch embedding with its norms: one convolution of whole patches, or several of 3x3 that halve the map. */
function patchLayers(input: Grid, inputs: number, { dim, patch }: StageConfig): Cost[] {
  if (!patch.overlap) {
    const positions = gridTokens(patchGrid(input, patch));
    return [linearCost(positions, product(patch.kernel) * inputs, dim), normCost(positions, dim)];
  }
  const halvings = Math.log2(patch.kernel[0] as number);
  return Array.from({ length: halvings }, (_, i) => {
    const positions = gridTokens(patchGrid(input, { kernel: [2 ** (i + 1), 2 ** (i + 1)], overlap: true }));
    const width = dim / 2 ** (halvings - 1 - i);
    return [linearCost(positions, 9 * (i === 0 ? inputs : width / 2), width), normCost(positions, width)];
  }).flat();
}

function blockLayers(
  stage: StageConfig,
  mixer: MixerSpec | undefined,
  place: Pick<MixerCostContext, 'grid' | 'weightsGrid'>,
  { gridRank, mlpRatio, layerScale }: ResolvedConfig,
): Cost[] {
  const { dim } = stage;
  const { grid } = place;
  const positions = gridTokens(grid);
  const depthwise = (size: number) => depthwiseCost(positions, dim, product(cube(size, gridRank)));
  const mixing = mixer
    ? [mixer.cost({ dim, heads: stageHeads(stage), ...place })]
    : [linearCost(positions, dim, dim), depthwise(5), linearCost(positions, dim, dim)];
  const [height, width] = grid.slice(-2) as [number, number];
  const clip = [grid.length === 3 ? grid[0] : 1, height, width] as const;
  const scales = { params: mixer && layerScale !== undefined ? 2 * dim : 0, macs: 0, activationBytes: 0 };
  return [
    depthwise(3),
    normCost(positions, dim),
    ...mixing,
    ...(stage.gate ? [stage.gate.cost({ channels: dim, grid: clip })] : []),
    normCost(positions, dim),
    linearCost(positions, dim, dim * mlpRatio),
    linearCost(positions, dim * mlpRatio, dim),
    scales,
  ];
}
