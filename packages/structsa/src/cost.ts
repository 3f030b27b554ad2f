import { type Cost, type Grid, gridTokens, linearCost, stridedGrid } from '@saccade/nn';
import { product } from '@saccade/tensor-ops';

/** The sizes on which the cost of a StructSA layer depends. */
export interface StructSACostOptions {
  readonly dim: number;
  readonly heads: number;
  readonly grid: Grid;
  readonly detectors: number;
  /** one size for each axis of the grid */
  readonly kernelK: readonly number[];
  readonly kernelV: readonly number[];
  readonly stride: number;
  readonly sharedFilters?: 'none' | 'v' | 'kv';
}

/**
 * Cost of one StructSA layer for one sample (specification section 1.5), with M_K, M_V taps and L strided tokens:
 *
 * params `4C^2 + 4C + (M_K + M_V) C D`; MACs `4NC^2 + (M_K + M_V) C D L + 2 N L D C`;
 * activations: q, k, v, the result, K' and V', and one streamed map of [h, N, L].
 */
export function structSelfAttentionCost(options: StructSACostOptions): Cost {
  const { dim, heads, grid, detectors, kernelK, kernelV, stride, sharedFilters = 'none' } = options;
  const tokens = gridTokens(grid);
  const keys = gridTokens(stridedGrid(grid, stride));
  const [tapsK, tapsV] = [product(kernelK), product(kernelV)];
  const [channelsK, channelsV] = [sharedFilters === 'kv' ? 1 : dim, sharedFilters === 'none' ? dim : 1];
  const projections = [linearCost(tokens, dim, 3 * dim), linearCost(tokens, dim, dim)] as const;
  return {
    params: projections[0].params + projections[1].params + (tapsK * channelsK + tapsV * channelsV) * detectors,
    macs:
      projections[0].macs +
      projections[1].macs +
      (tapsK + tapsV) * dim * detectors * keys +
      2 * tokens * keys * detectors * dim,
    activationBytes: 4 * (4 * tokens * dim + 2 * keys * dim * detectors + heads * tokens * keys),
  };
}
