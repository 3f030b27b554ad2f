import { assertInteger, attention, ConfigError, mergeHeads, type Rng, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type Cost, linearCost } from './cost.ts';
import { assertTokens, type Grid, gridTokens } from './grid.ts';
import { Linear } from './Linear.ts';
import { Module } from './Module.ts';
import type { MixerCostContext, MixerSpec, TokenMixer } from './mixer.ts';

/** Options of {@link SelfAttention}. */
export interface SelfAttentionOptions {
  /** channels C */
  readonly dim: number;
  /** must divide dim */
  readonly heads: number;
  /** bias of the qkv projection; default true */
  readonly qkvBias?: boolean;
  /** P, tokens before those of the grid: attention treats them like the others; default 0 */
  readonly prefixTokens?: number;
  readonly rng: Rng;
}

/**
 * Plain multi-head self-attention: `y = proj(softmax(q k^T / sqrt(C/h)) v)`, `q, k, v = qkv(x)`.
 *
 * `x` [B, P + N, C] -> the same shape. The grid of the last N tokens is checked, not used. State: `qkv.*` with rows
 * [q | k | v], each [head][head_dim], and `proj.*`. Source: Vaswani et al., arXiv 1706.03762.
 */
export class SelfAttention extends Module implements TokenMixer {
  readonly dim: number;
  readonly heads: number;
  readonly prefixTokens: number;
  readonly qkv: Linear;
  readonly proj: Linear;

  /** @throws ConfigError if heads do not divide dim */
  constructor({ dim, heads, qkvBias = true, prefixTokens = 0, rng }: SelfAttentionOptions) {
    super();
    assertHeads(dim, heads);
    assertInteger('prefixTokens', prefixTokens, 0);
    this.dim = dim;
    this.heads = heads;
    this.prefixTokens = prefixTokens;
    this.qkv = this.child('qkv', new Linear(dim, 3 * dim, { bias: qkvBias, rng }));
    this.proj = this.child('proj', new Linear(dim, dim, { rng }));
  }

  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    assertTokens(x, this.dim, grid, this.prefixTokens);
    return tf.tidy(() => {
      // Heads first, as if there were three times as many: then q, k and v lie one behind the other.
      const heads = splitHeads(this.qkv.forward(x), 3 * this.heads);
      const [q, k, v] = tf.split(heads, 3, 1) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      return this.proj.forward(mergeHeads(attention(q, k, v)));
    });
  }
}

/** Throws a ConfigError unless `heads` is a positive integer that divides `dim`. */
export function assertHeads(dim: number, heads: number): void {
  if (!Number.isSafeInteger(heads) || heads < 1 || dim % heads !== 0) {
    throw new ConfigError('heads', `a positive integer that divides dim = ${dim}`, heads);
  }
}

/** Plain attention as a stage's mixer. */
export function plainAttention(): MixerSpec {
  return {
    name: 'attention',
    takesPrefixTokens: true,
    create: (context) => new SelfAttention(context),
    cost: ({ dim, heads, grid, ...options }) => selfAttentionCost(dim, heads, grid, options),
  };
}

/**
 * Parameters `4C^2 + 4C`, 3C less without the bias of q, k and v; MACs `4MC^2 + 2M^2C` for M = P + N tokens; activations:
 * q, k, v, the result and one map of [h, M, M].
 */
export function selfAttentionCost(
  dim: number,
  heads: number,
  grid: Grid,
  { prefixTokens = 0, qkvBias = true }: Pick<MixerCostContext, 'prefixTokens' | 'qkvBias'> = {},
): Cost {
  const tokens = prefixTokens + gridTokens(grid);
  const [qkv, proj] = [linearCost(tokens, dim, 3 * dim, qkvBias), linearCost(tokens, dim, dim)];
  return {
    params: qkv.params + proj.params,
    macs: qkv.macs + proj.macs + 2 * tokens * tokens * dim,
    activationBytes: 4 * (4 * tokens * dim + heads * tokens * tokens),
  };
}
