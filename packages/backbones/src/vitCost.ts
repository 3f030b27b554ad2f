import { type Cost, type Grid, gridTokens, linearCost, normCost, sequence } from '@saccade/nn';
import { ConfigError, formatShape, product } from '@saccade/tensor-ops';
import { patchGrid } from './config.ts';
import { resolveVisionTransformer, type VisionTransformerConfig } from './vitConfig.ts';

/**
 * Cost of a vision transformer for one sample of `input` ([H, W] or [T, H, W]), without building it.
 *
 * MACs count patches, Linear layers, the attention products and what else the mixer convolves, for the class token as well;
 * no bias, norm or softmax. Parameters include the position embedding, which belongs to `config.inputSize`, not to `input`.
 */
export function visionTransformerCost(config: VisionTransformerConfig, input: Grid = config.inputSize): Cost {
  const resolved = resolveVisionTransformer(config);
  const { gridRank, inChannels, patch, dim, headDim, mixers, qkvBias, mlpRatio, prefixTokens } = resolved;
  const grid = input.length === gridRank ? patchGrid(input, patch) : [];
  if (grid.length === 0 || !grid.every((size) => size >= 1)) {
    const expected = `${gridRank === 3 ? '[T,H,W]' : '[H,W]'}, at least one patch of ${formatShape(patch.kernel)}`;
    throw new ConfigError('input', expected, input);
  }
  const positions = gridTokens(grid as Grid);
  const tokens = prefixTokens + positions;
  const vectors = prefixTokens + (resolved.positionEmbedding ? prefixTokens + gridTokens(resolved.grid) : 0);
  const scales = resolved.layerScale === undefined ? 0 : 2 * dim;
  const blocks = mixers.flatMap((mixer) => [
    normCost(tokens, dim),
    mixer.cost({ dim, heads: dim / headDim, grid: grid as Grid, weightsGrid: resolved.grid, prefixTokens, qkvBias }),
    normCost(tokens, dim),
    linearCost(tokens, dim, dim * mlpRatio),
    linearCost(tokens, dim * mlpRatio, dim),
    { params: scales, macs: 0, activationBytes: 0 },
  ]);
  return sequence([
    linearCost(positions, product(patch.kernel) * inChannels, dim),
    { params: vectors * dim, macs: 0, activationBytes: 8 * tokens * dim },
    ...blocks,
    normCost(tokens, dim),
    linearCost(1, dim, resolved.numClasses),
  ]);
}
