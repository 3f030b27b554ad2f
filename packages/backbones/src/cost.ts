import { type Cost, depthwiseCost, type Grid, gridTokens, linearCost, normCost, sequence } from '@saccade/nn';
import { ConfigError, product } from '@saccade/tensor-ops';
import { cube } from './blocks.ts';
import { type BackboneConfig, type PatchConfig, type ResolvedConfig, resolveConfig, stageHeads } from './config.ts';

/**
 * Cost of a backbone for one sample of `input` ([H, W] or [T, H, W]), without building it.
 *
 * MACs count convolutions, Linear layers and the two attention products, as the papers do; no bias, norm or softmax.
 */
export function backboneCost(config: BackboneConfig, input: Grid): Cost {
  const resolved = resolveConfig(config);
  if (input.length !== resolved.gridRank) {
    throw new ConfigError('input', resolved.gridRank === 3 ? '[T,H,W]' : '[H,W]', input);
  }
  const layers: Cost[] = [];
  let grid = input;
  let inputs = resolved.inChannels;
  for (const stage of resolved.stages) {
    grid = patchGrid(grid, stage.patch);
    const positions = gridTokens(grid);
    layers.push(linearCost(positions, product(stage.patch.kernel) * inputs, stage.dim), normCost(positions, stage.dim));
    const block = sequence(blockLayers(stage, grid, resolved));
    for (let i = 0; i < stage.depth; i++) layers.push(block);
    inputs = stage.dim;
  }
  layers.push(normCost(gridTokens(grid), inputs), linearCost(1, inputs, resolved.numClasses));
  return sequence(layers);
}

function blockLayers(
  stage: ResolvedConfig['stages'][number],
  grid: Grid,
  { gridRank, mlpRatio, layerScale }: ResolvedConfig,
): Cost[] {
  const { dim, mixer } = stage;
  const positions = gridTokens(grid);
  const depthwise = (size: number) => depthwiseCost(positions, dim, product(cube(size, gridRank)));
  const mixing = mixer
    ? [mixer.cost({ dim, heads: stageHeads(stage), grid })]
    : [linearCost(positions, dim, dim), depthwise(5), linearCost(positions, dim, dim)];
  const scales = { params: mixer && layerScale !== undefined ? 2 * dim : 0, macs: 0, activationBytes: 0 };
  return [
    depthwise(3),
    normCost(positions, dim),
    ...mixing,
    normCost(positions, dim),
    linearCost(positions, dim, dim * mlpRatio),
    linearCost(positions, dim * mlpRatio, dim),
    scales,
  ];
}

/** The grid after a patch embedding: whole patches in space; strided and padded windows in time. */
function patchGrid(grid: Grid, { kernel, temporalStride = 1, temporalPadding = 0 }: PatchConfig): Grid {
  const [ph, pw] = kernel.slice(-2) as [number, number];
  const [height, width] = grid.slice(-2) as [number, number];
  const space = [Math.floor(height / ph), Math.floor(width / pw)] as const;
  if (grid.length === 2) return space;
  const frames = Math.floor((grid[0] + 2 * temporalPadding - (kernel[0] as number)) / temporalStride) + 1;
  return [frames, ...space];
}
