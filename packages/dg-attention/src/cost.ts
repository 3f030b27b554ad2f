import { type Cost, type Grid, gridTokens, linearCost, type MixerCostContext } from '@saccade/nn';

/** The sizes on which the cost of a DG-Attention layer depends. */
export interface DgCostOptions extends MixerCostContext {
  /** G */
  readonly groups: number;
  /** k */
  readonly topK: number;
  readonly attention?: 'dot' | 'cosine';
}

/**
 * Cost of one layer for one sample (specification section 2), with T = P + N tokens and k' = min(k, T):
 *
 * params `4C^2 + 4C`, 3C less without the bias of q, k and v, h more for `cosine`; the centroids, G C values, are a buffer
 * and not trained;
 * MACs `4TC^2 + 2k'TC + 2TGC`: projections; logits and weighted sums; assignment and scores of centroids with keys. The
 * selection itself, about T comparisons for each group and head, has none;
 * activations: q, k, v, the result, and the routing.
 */
export function dgSelfAttentionCost(options: DgCostOptions): Cost {
  const { dim, heads, groups, attention = 'dot', prefixTokens = 0, qkvBias = true } = options;
  const tokens = prefixTokens + gridTokens(options.grid as Grid);
  const keys = Math.min(options.topK, tokens);
  const [qkv, proj] = [linearCost(tokens, dim, 3 * dim, qkvBias), linearCost(tokens, dim, dim)];
  return {
    params: qkv.params + proj.params + (attention === 'cosine' ? heads : 0),
    macs: qkv.macs + proj.macs + 2 * keys * tokens * dim + 2 * tokens * groups * dim,
    activationBytes: 4 * (4 * tokens * dim + heads * (tokens + groups * keys)),
  };
}
