import { assertShape, maxMean, planeConv3d } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** The axis that a gate pools away, and is constant along. */
export type GateAxis = 'channel' | 'time' | 'height' | 'width';

/** Positions of the axes in [B, T, H, W, C]. */
const POSITIONS: Readonly<Record<GateAxis, number>> = { channel: 4, time: 1, height: 2, width: 3 };

/** What a gate computes with. */
export interface GateWeights {
  /** [3, 3, 3, 2, 1]: taps over the axes that stay, in their order (T, H, W, C), of the [maximum, mean] */
  readonly filter: tf.Tensor5D;
  /** batch normalisation of the one channel, [..., 1] -> [..., 1]; default: none */
  readonly normalize?: ((logits: tf.Tensor5D) => tf.Tensor5D) | undefined;
}

/**
 * A gate of Attention-in-Attention: `g = sigmoid(norm(conv3x3x3([max over axis; mean over axis])))`.
 *
 * `z` [B, T, H, W, C] -> the shape of z without `axis`, values in (0, 1): `channel` [B, T, H, W], `time` [B, H, W, C],
 * `height` [B, T, W, C], `width` [B, T, H, C]. The convolution has zero padding and no bias, and slides over channels as
 * over space and time: neighbouring channels meet. Source: public code of Hao et al., arXiv 2204.09303.
 *
 * @throws ShapeError if z is not [B, T, H, W, C] or the filter not [3, 3, 3, 2, 1]
 */
export function axisGate(z: tf.Tensor5D, axis: GateAxis, { filter, normalize }: GateWeights): tf.Tensor4D {
  assertShape('z', z, ['B', 'T', 'H', 'W', 'C'], 'Images are clips of one frame.');
  assertShape('filter', filter, [3, 3, 3, 2, 1]);
  return tf.tidy(() => {
    const pooled = maxMean(z, POSITIONS[axis]) as tf.Tensor5D;
    const shape = pooled.shape.slice(1) as tf.Tensor4D['shape'];
    const logits = tf.reshape(planeConv3d(pooled, filter), [...shape, 1]) as tf.Tensor5D;
    return tf.reshape(tf.sigmoid(normalize ? normalize(logits) : logits), shape) as tf.Tensor4D;
  });
}
