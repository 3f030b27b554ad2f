import { attention, ConfigError, mergeHeads, type Rng, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type Cost, linearCost } from './cost.ts';
import { assertTokens, type Grid, gridTokens } from './grid.ts';
import { Linear } from './Linear.ts';
import { Module } from './Module.ts';
import type { MixerSpec, TokenMixer } from './mixer.ts';

/** Options of {@link SelfAttention}. */
export interface SelfAttentionOptions {
  /** channels C */
  readonly dim: number;
  /** must divide dim */
  readonly heads: number;
  /** bias of the qkv projection; default true */
  readonly qkvBias?: boolean;
  readonly rng: Rng;
}

/**
 * Plain multi-head self-attention: `y = proj(softmax(q k^T / sqrt(C/h)) v)`, `q, k, v = qkv(x)`.
 *
 * `x` [B, N, C] -> [B, N, C]. The grid is checked, not used. State: `qkv.*` with rows [q | k | v], each
 * [head][head_dim], and `proj.*`. Source: Vaswani et al., arXiv 1706.03762.
 */
export class SelfAttention extends Module implements TokenMixer {
  readonly dim: number;
  readonly heads: number;
  readonly qkv: Linear;
  readonly proj: Linear;

  /** @throws ConfigError if heads do not divide dim */
  constructor({ dim, heads, qkvBias = true, rng }: SelfAttentionOptions) {
    super();
    assertHeads(dim, heads);
    this.dim = dim;
    this.heads = heads;
    this.qkv = this.child('qkv', new Linear(dim, 3 * dim, { bias: qkvBias, rng }));
    this.proj = this.child('proj', new Linear(dim, dim, { rng }));
  }

  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    assertTokens(x, this.dim, grid);
    return tf.tidy(() => {
      const [q, k, v] = tf.split(this.qkv.forward(x), 3, -1).map((part) => splitHeads(part as tf.Tensor3D, this.heads));
      return this.proj.forward(mergeHeads(attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D)));
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
    create: ({ dim, heads, rng }) => new SelfAttention({ dim, heads, rng }),
    cost: ({ dim, heads, grid }) => selfAttentionCost(dim, heads, grid),
  };
}

/** Parameters `4C^2 + 4C`; MACs `4NC^2 + 2N^2C`; activations: q, k, v, the result and one map of [h, N, N]. */
export function selfAttentionCost(dim: number, heads: number, grid: Grid): Cost {
  const tokens = gridTokens(grid);
  const [qkv, proj] = [linearCost(tokens, dim, 3 * dim), linearCost(tokens, dim, dim)];
  return {
    params: qkv.params + proj.params,
    macs: qkv.macs + proj.macs + 2 * tokens * tokens * dim,
    activationBytes: 4 * (4 * tokens * dim + heads * tokens * tokens),
  };
}
