import { assertShape, attention, l2Normalize, mergeHeads, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { assertTokens, type Grid } from './grid.ts';
import { constant } from './initializers.ts';
import { Linear } from './Linear.ts';
import { Module } from './Module.ts';
import type { MixerSpec, TokenMixer } from './mixer.ts';
import type { Parameter } from './parameter.ts';
import { assertHeads, type SelfAttentionOptions, selfAttentionCost } from './SelfAttention.ts';

/** Logarithm of the largest factor that cosines are multiplied by. */
const MOST = Math.log(100);

/**
 * Queries and keys whose products are the logits of cosine attention: `queries . keys = cos(q, k) exp(min(logitScale, ln 100))`.
 *
 * `q` [B, h, N, d], `k` [B, h, L, d], `logitScale` [h, 1, 1] -> queries and keys of the same shapes, for `attention` with
 * scale 1. `cos(q, k) = q^ . k^`, `x^ = x / max(|x|, 1e-12)`. The gradient of a logitScale beyond ln 100 is zero. Source:
 * Swin V2, Liu et al., arXiv 2111.09883.
 *
 * @throws ShapeError unless logitScale is [h, 1, 1]
 */
export function cosineOperands(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  logitScale: tf.Tensor,
): { readonly queries: tf.Tensor4D; readonly keys: tf.Tensor4D } {
  assertShape('logitScale', logitScale, [q.shape[1], 1, 1]);
  return tf.tidy(() => {
    const scale = tf.exp(tf.minimum(logitScale, MOST));
    return { queries: tf.mul(l2Normalize(q), scale) as tf.Tensor4D, keys: l2Normalize(k) };
  });
}

/**
 * Multi-head self-attention by the angle between queries and keys:
 *
 * ```
 * y = proj(softmax(cos(q, k) exp(min(logit_scale, ln 100))) v),  q, k, v = qkv(x)
 * ```
 *
 * `x` [B, P + N, C] -> the same shape. The grid of the last N tokens is checked, not used. State: that of `SelfAttention`, and
 * `logit_scale` [h, 1, 1], which starts at ln 10 and which weight decay leaves alone. There is no position bias. See
 * {@link cosineOperands}.
 */
export class CosineSelfAttention extends Module implements TokenMixer {
  readonly dim: number;
  readonly heads: number;
  readonly prefixTokens: number;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly logitScale: Parameter;

  /** @throws ConfigError if heads do not divide dim */
  constructor({ dim, heads, qkvBias = true, prefixTokens = 0, rng }: SelfAttentionOptions) {
    super();
    assertHeads(dim, heads);
    this.dim = dim;
    this.heads = heads;
    this.prefixTokens = prefixTokens;
    this.qkv = this.child('qkv', new Linear(dim, 3 * dim, { bias: qkvBias, rng }));
    this.proj = this.child('proj', new Linear(dim, dim, { rng }));
    this.logitScale = this.parameter('logit_scale', [heads, 1, 1], { init: constant(Math.log(10)), decay: false });
  }

  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    this.assertUsable();
    assertTokens(x, this.dim, grid, this.prefixTokens);
    return tf.tidy(() => {
      const parts = tf.split(this.qkv.forward(x), 3, -1).map((part) => splitHeads(part as tf.Tensor3D, this.heads));
      const [q, k, v] = parts as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const { queries, keys } = cosineOperands(q, k, this.logitScale.variable);
      return this.proj.forward(mergeHeads(attention(queries, keys, v, { scale: 1 })));
    });
  }
}

/** Cosine attention as a stage's mixer: parameters and cost of plain attention, and one parameter more for each head. */
export function cosineAttention(): MixerSpec {
  return {
    name: 'cosine-attention',
    takesPrefixTokens: true,
    create: (context) => new CosineSelfAttention(context),
    cost: ({ dim, heads, grid, ...options }) => {
      const { params, ...cost } = selfAttentionCost(dim, heads, grid, options);
      return { ...cost, params: params + heads };
    },
  };
}
