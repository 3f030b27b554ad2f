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
  /** P, tokens before those of the grid; default 0 */
  readonly prefixTokens?: number;
  /** bias of the qkv projection; default true */
  readonly qkvBias?: boolean;
}

/**
 * Cost of one StructSA layer for one sample (specification section 1.5), with M_K, M_V taps, L strided tokens, P prefix
 * tokens and T = P + N:
 *
 * params `4C^2 + 4C + (M_K + M_V) C D`, 3C less without the bias of q, k and v;
 * MACs `4TC^2 + (M_K + M_V) C D L + 2 T (P + L D) C`;
 * activations: q, k, v, the result, K' and V', and one streamed map of [h, T, L].
 */
export function structSelfAttentionCost(options: StructSACostOptions): Cost {
  const { dim, heads, grid, detectors, kernelK, kernelV, stride } = options;
  const { sharedFilters = 'none', prefixTokens = 0, qkvBias = true } = options;
  const tokens = prefixTokens + gridTokens(grid);
  const keys = gridTokens(stridedGrid(grid, stride));
  const [tapsK, tapsV] = [product(kernelK), product(kernelV)];
  const [channelsK, channelsV] = [sharedFilters === 'kv' ? 1 : dim, sharedFilters === 'none' ? dim : 1];
  const projections = [linearCost(tokens, dim, 3 * dim, qkvBias), linearCost(tokens, dim, dim)] as const;
  return {
    params: projections[0].params + projections[1].params + (tapsK * channelsK + tapsV * channelsV) * detectors,
    macs:
      projections[0].macs +
      projections[1].macs +
      (tapsK + tapsV) * dim * detectors * keys +
      2 * tokens * (prefixTokens + keys * detectors) * dim,
    activationBytes: 4 * (4 * tokens * dim + 2 * keys * dim * detectors + heads * tokens * keys),
  };
}
