import {
  type Cost,
  convCost,
  depthwiseCost,
  type Grid,
  gridTokens,
  linearCost,
  type MixerCostContext,
  type MixerSpec,
  normCost,
  sequence,
} from '@saccade/nn';
import { assertDgtInput, type DgtConfig, type DgtStagePlan, dgtGrids, planDgt, resolveDgt } from './dgtConfig.ts';
import { invertedResidualFfnCosts } from './invertedResidualFfn.ts';

/**
 * Cost of a Dynamic Group Transformer for one image of `input` [H, W], without building it.
 *
 * MACs count convolutions, Linear layers and what the mixers state (DG-Attention: 2kLC + 2LGC besides its projections); no
 * bias, norm, activation or selection of keys. Parameters are all that is trained: those of cosine attention have a
 * temperature for each head, which the counts cited for DGT-S and -B leave out; centroids are not trained.
 *
 * @throws ConfigError for an input that is not [H, W]
 */
export function dgtCost(config: DgtConfig, input: Grid): Cost {
  const resolved = resolveDgt(config);
  assertDgtInput(resolved, 'input', input);
  const { stemDim, mergeKernel, inChannels, headWidth, numClasses } = resolved;
  const grids = dgtGrids(resolved, input);
  const weightsGrids = resolved.inputSize && dgtGrids(resolved, resolved.inputSize).stages;
  const layers: Cost[] = [];
  let [from, inputs]: [Grid, number] = [input, inChannels];
  const conv = (to: Grid, outputs: number, kernel: number) => {
    layers.push(convolution(from, to, inputs, outputs, kernel), normCost(gridTokens(to), outputs));
    [from, inputs] = [to, outputs];
  };
  for (const grid of grids.stem) conv(grid, stemDim, 3);
  for (const [s, stage] of planDgt(resolved).entries()) {
    const grid = grids.stages[s] as Grid;
    conv(grid, stage.dim, mergeKernel);
    const weightsGrid = weightsGrids?.[s];
    const place = { grid, ...(weightsGrid ? { weightsGrid } : {}) };
    for (const { mixer } of stage.blocks) layers.push(...blockLayers(mixer, stage, place));
    if (resolved.stageNorms) layers.push(normCost(gridTokens(grid), stage.dim));
  }
  const positions = gridTokens(from);
  layers.push(linearCost(positions, inputs, headWidth), normCost(positions, headWidth));
  layers.push(linearCost(1, headWidth, numClasses));
  return sequence(layers);
}

function convolution(from: Grid, to: Grid, inputs: number, outputs: number, kernel: number): Cost {
  const positions = { input: gridTokens(from), output: gridTokens(to) };
  return convCost({ positions, channels: { input: inputs, output: outputs }, taps: kernel * kernel }, true);
}

function blockLayers(
  mixer: MixerSpec,
  { dim, heads, hidden }: DgtStagePlan,
  place: Pick<MixerCostContext, 'grid' | 'weightsGrid'>,
): Cost[] {
  const positions = gridTokens(place.grid);
  return [
    depthwiseCost(positions, dim, 9),
    normCost(positions, dim),
    mixer.cost({ dim, heads, ...place }),
    normCost(positions, dim),
    ...invertedResidualFfnCosts(positions, dim, hidden),
  ];
}
