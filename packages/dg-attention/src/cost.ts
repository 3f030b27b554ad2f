import { type Cost, type Grid, gridTokens, linearCost } from '@saccade/nn';

/** The sizes on which the cost of the layer depends. */
export interface DgCostOptions {
  readonly dim: number;
  readonly heads: number;
  readonly grid: Grid;
}

/**
 * Cost of one layer for one sample: params `4C^2 + 4C`; MACs `4NC^2 + 2N^2C`; activations: q, k, v, the result and one
 * map of [h, N, N].
 */
export function dgSelfAttentionCost({ dim, heads, grid }: DgCostOptions): Cost {
  const tokens = gridTokens(grid);
  const [qkv, proj] = [linearCost(tokens, dim, 3 * dim), linearCost(tokens, dim, dim)];
  return {
    params: qkv.params + proj.params,
    macs: qkv.macs + proj.macs + 2 * tokens * tokens * dim,
    activationBytes: 4 * (4 * tokens * dim + heads * tokens * tokens),
  };
}
