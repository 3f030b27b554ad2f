import { selfAttentionCost } from '@saccade/nn';
import { attention, mergeHeads, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { kernelRefusal } from '../support/kernels.ts';
import type { Samples } from '../support/samples.ts';
import { betweenProjections, comparedWithExplicit, mapsOf, type OperatorFactory, outputShape } from './operator.ts';
import { CHANNELS, latticeOf, type OperatorPoint, type Tokens } from './point.ts';
import { attend, headOf, headsOf, tokenSamples } from './reference.ts';

export const EXPLICIT = 'plain attention (explicit)';
export const FUSED = 'plain attention (fused)';

/** `softmax(q k^T / sqrt(d)) v` per head: composed by us, by the fused kernel, and of stock operations as a user writes it. */
export const plainAttention: OperatorFactory = (point, tokens, bench, plainSamples) => {
  const heads = CHANNELS / point.headDim;
  const cost = betweenProjections(selfAttentionCost(CHANNELS, heads, latticeOf(point.tokens).image), point);
  const inputs = [tokens.q, tokens.k, tokens.v];
  const common = { inputs, outputShape: outputShape(point), samples: plainSamples, ...cost };
  const ours = ([q, k, v]: readonly tf.Tensor[]) =>
    plainAttentionOf(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, heads);
  const backward = point.direction === 'forward+backward';
  const refusal = kernelRefusal(() => {
    const few = tf.ones<tf.Rank.R4>([1, 1, 2, point.headDim]);
    return attention(few, few, few);
  });
  const maps = mapsOf(point, backward ? 5 : 2);
  return [
    { ...common, name: EXPLICIT, kernels: 'explicit', apply: ours, maps },
    refusal === undefined
      ? { ...common, name: FUSED, kernels: 'fused', apply: ours, explicit: comparedWithExplicit(point, bench, maps) }
      : { name: FUSED, role: 'saccade', reason: refusal },
    {
      ...common,
      name: 'tfjs ops',
      role: 'peer',
      apply: ([q, k, v]) => stockAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, heads),
      maps: mapsOf(point, backward ? 7 : 3),
      // wasm multiplies batches of matrices in a scalar loop (REPAIRS.md of tensor-ops).
      slowness: bench.backend === 'wasm' ? 8 : 1,
    },
  ];
};

/** Plain attention of tokens [B, N, C], on the path that the kernel mode says. */
export function plainAttentionOf(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, heads: number): tf.Tensor3D {
  return mergeHeads(attention(splitHeads(q, heads), splitHeads(k, heads), splitHeads(v, heads)));
}

function stockAttention(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, heads: number): tf.Tensor {
  const [batch, tokens, channels] = q.shape;
  const size = channels / heads;
  const toHeads = (x: tf.Tensor) => tf.transpose(tf.reshape(x, [batch, tokens, heads, size]), [0, 2, 1, 3]);
  const scores = tf.matMul(toHeads(q), toHeads(k), false, true);
  const weights = tf.softmax(tf.mul(scores, 1 / Math.sqrt(size)));
  return tf.reshape(tf.transpose(tf.matMul(weights, toHeads(v)), [0, 2, 1, 3]), [batch, tokens, channels]);
}

/** The definition: `y_n = sum over m of softmax_m(q_n . k_m / sqrt(d)) v_m`. */
export function plainSamples(point: OperatorPoint, { q, k, v }: Tokens): Samples {
  const [keys, values] = [headsOf(k.values, point), headsOf(v.values, point)];
  return tokenSamples(point, (place, head) =>
    attend(headOf(q.values, point, place, head), keys(place[0], head), values(place[0], head)),
  );
}
