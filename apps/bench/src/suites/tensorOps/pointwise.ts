import {
  batchNormInference,
  batchNormTraining,
  channelStatistics,
  gelu,
  l2Normalize,
  layerNorm,
  product,
} from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FunctionWork } from '../support/functionWork.ts';
import { type Input, normalInput } from '../support/inputs.ts';
import { sampleOutputs } from '../support/samples.ts';
import { at, BOTH, bothPaths, FORWARD, type OpCase, OURS, parametersIn, STOCK, sizesOf, sum } from './opCase.ts';

const EPS = 1e-5;

const normalised = (rows: number, channels: number): OpCase => {
  const x = normalInput('x', [rows, channels], { mean: 0.5 });
  const [gamma, beta] = [normalInput('gamma', [channels], { mean: 1, std: 0.1 }), normalInput('beta', [channels])];
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x, gamma, beta],
    outputShape: x.shape,
    samples: () =>
      sampleOutputs(x.shape, ([i, j]) => {
        const { mean, variance } = momentsOf(channels, (c) => at(x, i as number, c));
        const normal = (at(x, i as number, j as number) - mean) / Math.sqrt(variance + EPS);
        return normal * at(gamma, j as number) + at(beta, j as number);
      }),
    params: parametersIn(gamma, beta),
  };
  return {
    name: `layerNorm/${sizesOf(rows, channels)}`,
    parameters: { operation: 'layerNorm', sizes: sizesOf(rows, channels) },
    directions: BOTH,
    quick: BOTH,
    works: ({ backend }) => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply([x, gamma, beta]) {
          const { mean, variance } = tf.moments(x as tf.Tensor, -1, true);
          const normal = tf.mul(tf.sub(x as tf.Tensor, mean), tf.rsqrt(tf.add(variance, EPS)));
          return tf.add(tf.mul(normal, gamma as tf.Tensor), beta as tf.Tensor);
        },
      },
      ...bothPaths(
        common,
        ([x, gamma, beta]) => layerNorm(x as tf.Tensor, gamma as tf.Tensor1D, beta as tf.Tensor1D, EPS),
        backend === 'wasm',
      ),
    ],
  };
};

/** The activation of a ViT-S's hidden layer. */
const activation = (rows: number, channels: number): OpCase => {
  const x = normalInput('x', [rows, channels]);
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x],
    outputShape: x.shape,
    samples: () =>
      sampleOutputs(x.shape, (index) => {
        const value = at(x, ...index);
        return (value * (1 + erf(value / Math.SQRT2))) / 2;
      }),
  };
  return {
    name: `gelu/${sizesOf(rows, channels)}`,
    parameters: { operation: 'gelu', sizes: sizesOf(rows, channels) },
    directions: BOTH,
    quick: FORWARD,
    works: ({ backend }) => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply([x]) {
          const value = x as tf.Tensor;
          return tf.mul(tf.mul(value, 0.5), tf.add(tf.erf(tf.mul(value, Math.SQRT1_2)), 1));
        },
      },
      ...bothPaths(common, ([x]) => gelu(x as tf.Tensor), backend === 'wasm'),
    ],
  };
};

/** Queries of the heads of a ViT-S, as cosine attention takes them. */
const unitRows = (...shape: number[]): OpCase => {
  const x = normalInput('x', shape);
  const channels = shape.at(-1) as number;
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x],
    outputShape: shape,
    samples: () =>
      sampleOutputs(shape, (index) => {
        const row = index.slice(0, -1);
        return at(x, ...index) / Math.sqrt(sum(channels, (c) => at(x, ...row, c) ** 2));
      }),
  };
  return {
    name: `l2Normalize/${sizesOf(...shape)}`,
    parameters: { operation: 'l2Normalize', sizes: sizesOf(...shape) },
    directions: BOTH,
    works: () => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply([x]) {
          const value = x as tf.Tensor;
          return tf.div(value, tf.maximum(tf.norm(value, 'euclidean', -1, true), 1e-12));
        },
      },
      { ...common, name: OURS, apply: ([x]) => l2Normalize(x as tf.Tensor) },
    ],
  };
};

/** The third stage of a ResNet-50, eight images. */
const batchNorm = (mode: 'training' | 'inference', ...shape: number[]): OpCase => {
  const channels = shape.at(-1) as number;
  const rows = product(shape) / channels;
  const x = normalInput('x', shape, { mean: 0.5 });
  const [gamma, beta] = [normalInput('gamma', [channels], { mean: 1, std: 0.1 }), normalInput('beta', [channels])];
  const [mean, variance] = [
    normalInput('mean', [channels], { fixed: true }),
    squared(normalInput('variance', [channels], { mean: 1, std: 0.1, fixed: true })),
  ];
  const training = mode === 'training';
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: training ? [x, gamma, beta] : [x, gamma, beta, mean, variance],
    outputShape: shape,
    samples: () =>
      sampleOutputs(shape, (index) => {
        const c = index.at(-1) as number;
        const own = training
          ? momentsOf(rows, (row) => x.values[row * channels + c] as number)
          : { mean: at(mean, c), variance: at(variance, c) };
        return ((at(x, ...index) - own.mean) / Math.sqrt(own.variance + EPS)) * at(gamma, c) + at(beta, c);
      }),
    params: parametersIn(gamma, beta),
  };
  const ours: FunctionWork['apply'] = ([x, gamma, beta, mean, variance]) => {
    const weights = [gamma as tf.Tensor1D, beta as tf.Tensor1D] as const;
    const map = x as tf.Tensor4D;
    if (training) return batchNormTraining(map, ...weights, channelStatistics(map), EPS);
    return batchNormInference(map, ...weights, { mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D }, EPS);
  };
  return {
    name: `batchNorm-${mode}/${sizesOf(...shape)}`,
    parameters: { operation: `batchNorm, ${mode}`, sizes: sizesOf(...shape) },
    directions: BOTH,
    works: ({ backend }) => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply([x, gamma, beta, mean, variance]) {
          const own = training
            ? tf.moments(x as tf.Tensor4D, [0, 1, 2])
            : { mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D };
          const [means, variances] = [own.mean as tf.Tensor1D, own.variance as tf.Tensor1D];
          const [offset, scale] = [beta as tf.Tensor1D, gamma as tf.Tensor1D];
          return tf.batchNorm(x as tf.Tensor4D, means, variances, offset, scale, EPS);
        },
      },
      ...bothPaths(common, ours, training && backend === 'wasm'),
    ],
  };
};

function squared(input: Input): Input {
  return { ...input, values: input.values.map((value) => value * value) };
}

function momentsOf(count: number, value: (i: number) => number): { mean: number; variance: number } {
  const mean = sum(count, value) / count;
  return { mean, variance: sum(count, (i) => (value(i) - mean) ** 2) / count };
}

/** The error function by its series, `2 / sqrt(pi) sum_n (-1)^n z^(2n+1) / (n! (2n+1))`: exact to 1e-10 for |z| < 5. */
function erf(z: number): number {
  let [term, total] = [z, z];
  for (let n = 1; n < 150; n++) {
    term *= (-z * z) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

export const pointwise: readonly OpCase[] = [
  normalised(197, 384),
  activation(197, 1536),
  unitRows(1, 6, 197, 64),
  batchNorm('inference', 8, 28, 28, 128),
  batchNorm('training', 8, 28, 28, 128),
];
