import * as tf from '@tensorflow/tfjs-core';
import { prefersKernel } from './kernelMode.ts';
import { BATCH_NORM, BATCH_NORM_GRAD, COLUMN_MOMENTS, LAYER_NORM } from './kernels/names.ts';
import { sumRows } from './matMul.ts';
import { assertShape, product, sizeAt } from './shape.ts';
import { withGradient } from './withGradient.ts';

/**
 * Layer normalisation over the last dimension: `y = (x - mean) / sqrt(var + eps) * gamma + beta`.
 *
 * `x` [..., C], `gamma`, `beta` [C] -> [..., C]. Mean and (biased) variance are those of each row of C values.
 * Source: Ba et al., arXiv 1607.06450; `eps` stands inside the root, as in PyTorch.
 *
 * @throws ShapeError if gamma or beta is not [C]
 */
export function layerNorm<T extends tf.Tensor>(x: T, gamma: tf.Tensor1D, beta: tf.Tensor1D, eps: number): T {
  assertPerChannel(x, { gamma, beta });
  const channels = sizeAt(x.shape, -1);
  return tf.tidy(() => {
    const rows = tf.reshape(x, [product(x.shape.slice(0, -1)), channels]);
    if (prefersKernel(LAYER_NORM)) return tf.reshape(fusedLayerNorm(rows, gamma, beta, eps), x.shape) as T;
    const y = withGradient(
      [rows, gamma, beta],
      ([rows, gamma, beta]) => {
        const centred = tf.sub(rows, tf.mean(rows, 1, true));
        const inverseStd = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), eps));
        const normal = tf.mul(centred, inverseStd);
        return { value: tf.add(tf.mul(normal, gamma), beta), saved: [normal, inverseStd, gamma] };
      },
      (dy, saved) => normalizationGradient(dy, saved, 1),
    );
    return tf.reshape(y, x.shape) as T;
  });
}

function fusedLayerNorm(rows: tf.Tensor, gamma: tf.Tensor1D, beta: tf.Tensor1D, eps: number): tf.Tensor {
  return withGradient(
    [rows, gamma, beta],
    ([x, gamma, beta]) => {
      const results = tf.engine().runKernel(LAYER_NORM, { x, gamma, beta }, { eps }) as tf.Tensor[];
      const [value, mean, inverseStd] = results as [tf.Tensor, tf.Tensor, tf.Tensor];
      return { value, saved: [x, mean, inverseStd, gamma] };
    },
    (dy, [x, mean, inverseStd, gamma]) =>
      normalizationGradient(dy, [tf.mul(tf.sub(x, mean), inverseStd), inverseStd, gamma], 1),
  );
}

/** Mean and biased variance of each channel over all other dimensions. */
export interface ChannelStatistics {
  /** [C] */
  readonly mean: tf.Tensor1D;
  /** [C], biased: divided by the number of values */
  readonly variance: tf.Tensor1D;
}

/** The statistics by which training-mode batch normalisation normalises `x` [..., C]; no gradient flows through them. */
export function channelStatistics(x: tf.Tensor): ChannelStatistics {
  return tf.tidy(() => {
    const channels = sizeAt(x.shape, -1);
    const rows = tf.reshape(x, [product(x.shape.slice(0, -1)), channels]);
    if (prefersKernel(BATCH_NORM)) {
      const [mean, variance] = tf.engine().runKernel(COLUMN_MOMENTS, { x: rows }) as [tf.Tensor1D, tf.Tensor1D];
      return { mean, variance };
    }
    const mean = tf.mean(rows, 0) as tf.Tensor1D;
    return { mean, variance: tf.mean(tf.square(tf.sub(rows, mean)), 0) as tf.Tensor1D };
  }) as ChannelStatistics & tf.TensorContainer;
}

/**
 * Batch normalisation with fixed statistics (evaluation mode): `y = (x - mean) / sqrt(var + eps) * gamma + beta`.
 *
 * `x` [..., C]; the other tensors [C]. Source: Ioffe and Szegedy, arXiv 1502.03167.
 *
 * @throws ShapeError if one of them is not [C]
 */
export function batchNormInference<T extends tf.Tensor>(
  x: T,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { mean, variance }: ChannelStatistics,
  eps: number,
): T {
  assertPerChannel(x, { gamma, beta, mean, variance });
  return tf.tidy(() => {
    const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, eps)));
    // Rows: webgpu cannot broadcast a short vector over rank 5.
    const rows = tf.reshape(x, [-1, sizeAt(x.shape, -1)]);
    const y = tf.add(tf.mul(rows, scale), tf.sub(beta, tf.mul(mean, scale)));
    return tf.reshape(y, x.shape) as T;
  });
}

/**
 * Batch normalisation with the statistics of the batch itself (training mode); the gradient includes their dependence on x.
 *
 * `x` [..., C]; `gamma`, `beta` [C]; `statistics` from {@link channelStatistics} of the same `x`.
 */
export function batchNormTraining<T extends tf.Tensor>(
  x: T,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  statistics: ChannelStatistics,
  eps: number,
): T {
  assertPerChannel(x, { gamma, beta, ...statistics });
  const channels = sizeAt(x.shape, -1);
  return tf.tidy(() => {
    const rows = tf.reshape(x, [product(x.shape.slice(0, -1)), channels]);
    if (prefersKernel(BATCH_NORM)) return tf.reshape(fusedBatchNorm(rows, gamma, beta, statistics, eps), x.shape) as T;
    const y = withGradient(
      [rows, gamma, beta],
      ([rows, gamma, beta]) => {
        const inverseStd = tf.rsqrt(tf.add(statistics.variance, eps));
        const normal = tf.mul(tf.sub(rows, statistics.mean), inverseStd);
        return { value: tf.add(tf.mul(normal, gamma), beta), saved: [normal, inverseStd, gamma] };
      },
      (dy, saved) => normalizationGradient(dy, saved, 0),
    );
    return tf.reshape(y, x.shape) as T;
  });
}

function fusedBatchNorm(
  rows: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { mean, variance }: ChannelStatistics,
  eps: number,
): tf.Tensor {
  return withGradient(
    [rows, gamma, beta],
    ([x, gamma, beta]) => {
      const inverseStd = tf.rsqrt(tf.add(variance, eps));
      const value = tf.engine().runKernel(BATCH_NORM, { x, mean, inverseStd, gamma, beta }) as [tf.Tensor];
      return { value: value[0], saved: [x, mean, inverseStd, gamma] };
    },
    (dy, [x, mean, inverseStd, gamma]) =>
      tf.engine().runKernel(BATCH_NORM_GRAD, { x, dy, mean, inverseStd, gamma }) as tf.Tensor[],
  );
}

function assertPerChannel(x: tf.Tensor, vectors: Readonly<Record<string, tf.Tensor1D>>): void {
  for (const [argument, vector] of Object.entries(vectors)) assertShape(argument, vector, [sizeAt(x.shape, -1)]);
}

/**
 * Gradients of `n * gamma + beta`, `n` = rows [M, C] normalised along `axis` (1: layer norm, 0: batch norm).
 *
 * With g = dy * gamma: dx = (g - mean(g) - n * mean(g * n)) / std, means along `axis`.
 */
function normalizationGradient(
  dy: tf.Tensor,
  [normal, inverseStd, gamma]: readonly [tf.Tensor, tf.Tensor, tf.Tensor],
  axis: 0 | 1,
): tf.Tensor[] {
  const dyNormal = tf.mul(dy, normal);
  const g = tf.mul(dy, gamma);
  const projection = tf.mul(normal, tf.mean(tf.mul(dyNormal, gamma), axis, true));
  const dx = tf.mul(tf.sub(tf.sub(g, tf.mean(g, axis, true)), projection), inverseStd);
  return [dx, sumRows(dyNormal), sumRows(dy)];
}
