import { selfAttentionCost } from '@saccade/nn';
import { attention, mergeHeads, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Maps } from '../support/memory.ts';
import type { Samples } from '../support/samples.ts';
import { kernelRefusal } from './kernels.ts';
import { betweenProjections, type OperatorFactory, outputShape } from './operator.ts';
import { CHANNELS, latticeOf, type OperatorPoint, type Tokens } from './point.ts';
import { attend, headOf, headOfAll, tokenSamples } from './reference.ts';

export const EXPLICIT = 'plain attention (explicit)';
export const FUSED = 'plain attention (fused)';

/** `softmax(q k^T / sqrt(d)) v` per head: composed, by the fused kernel, and of stock operations as one writes it at first. */
export const plainAttention: OperatorFactory = (point, tokens, bench) => {
  const heads = CHANNELS / point.headDim;
  const inputs = [tokens.q, tokens.k, tokens.v];
  const cost = betweenProjections(selfAttentionCost(CHANNELS, heads, latticeOf(point.tokens).image), point);
  const ours = ([q, k, v]: readonly tf.Tensor[]) => attentionOf(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, heads);
  const common = { inputs, outputShape: outputShape(point), ...cost };
  const reference = () => plainSamples(point, tokens);
  const backward = point.direction === 'forward+backward';
  const refusal = kernelRefusal(() => {
    const few = tf.ones<tf.Rank.R4>([1, 1, 2, point.headDim]);
    return attention(few, few, few);
  });
  return [
    { name: EXPLICIT, kernels: 'explicit', apply: ours, reference, maps: plainMaps(point, backward ? 5 : 2), ...common },
    refusal === undefined
      ? { name: FUSED, kernels: 'fused', apply: ours, reference: explicitFits(point) ? 'explicit path' : reference, ...common }
      : { name: FUSED, role: 'saccade', reason: refusal },
    {
      name: 'tfjs ops',
      role: 'peer',
      apply: ([q, k, v]) => stockAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, heads),
      reference,
      maps: plainMaps(point, backward ? 7 : 3),
      // wasm multiplies batches of matrices in a scalar loop (REPAIRS.md of tensor-ops).
      slowness: bench.backend === 'wasm' ? 8 : 1,
      ...common,
    },
  ];
};

/** Plain attention of tokens [B, N, C]. */
export function attentionOf(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, heads: number): tf.Tensor3D {
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

/** `count` maps of [B, h, N, N]. */
export function plainMaps({ tokens, headDim, batch }: OperatorPoint, count: number): Maps {
  return { bytes: 4 * batch * (CHANNELS / headDim) * tokens ** 2, count };
}

/** The definition: `y_n = sum over m of softmax_m(q_n . k_m / sqrt(d)) v_m`. */
export function plainSamples(point: OperatorPoint, { q, k, v }: Tokens): Samples {
  return tokenSamples(point, (place, head) =>
    attend(
      headOf(q.values, point, place, head),
      headOfAll(k.values, point, place[0], head),
      headOfAll(v.values, point, place[0], head),
    ),
  );
}
