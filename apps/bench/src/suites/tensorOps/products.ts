import { linear, matMul, patchEmbed2d, transposeLast, withGradient } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FunctionWork } from '../support/functionWork.ts';
import { normalInput } from '../support/inputs.ts';
import { sampleOutputs } from '../support/samples.ts';
import { at, BOTH, FORWARD, type OpCase, OURS, parametersIn, STOCK, sizesOf, sum } from './opCase.ts';

/** Products of two matrices; a ViT-S's hidden layer, and a cube as benchmarks of products have it. */
const matrices = (m: number, k: number, n: number): OpCase => {
  const [a, b] = [normalInput('a', [m, k]), normalInput('b', [k, n])];
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [a, b],
    outputShape: [m, n],
    samples: () => sampleOutputs([m, n], ([i, j]) => sum(k, (c) => at(a, i as number, c) * at(b, c, j as number))),
    macs: m * k * n,
  };
  return {
    name: `matMul/${sizesOf(m, k, n)}`,
    parameters: { operation: 'matMul', sizes: sizesOf(m, k, n) },
    ...(m < 1024 ? { directions: BOTH, quick: FORWARD } : { directions: FORWARD }),
    works: () => [
      { ...common, name: STOCK, role: 'peer', apply: ([a, b]) => stockMatMul(a as tf.Tensor, b as tf.Tensor) },
      { ...common, name: OURS, apply: ([a, b]) => matMul(a as tf.Tensor, b as tf.Tensor) },
    ],
    peerTask: () => ({
      ...{ kind: 'matMul', sizes: [m, k, n] },
      ...{ a: a.values as Float32Array, b: b.values as Float32Array },
    }),
  };
};

/** `tf.matMul` with the gradient that tfjs gives it: products with transposed operands. (That of our table transposes first.) */
const stockMatMul = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
  withGradient(
    [a, b],
    ([a, b]) => ({ value: tf.matMul(a, b), saved: [a, b] }),
    (dy, [a, b]) => [tf.matMul(dy, b, false, true), tf.matMul(a, dy, true, false)],
  );

/** Scores of the heads of a ViT-S: a batch of products, the second operand transposed. */
const transposedBatch = (heads: number, n: number, d: number): OpCase => {
  const [q, k] = [normalInput('queries', [heads, n, d]), normalInput('keys', [heads, n, d])];
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [q, k],
    outputShape: [heads, n, n],
    samples: () =>
      sampleOutputs([heads, n, n], ([h, i, j]) =>
        sum(d, (c) => at(q, h as number, i as number, c) * at(k, h as number, j as number, c)),
      ),
    macs: heads * n * n * d,
  };
  return {
    name: `matMulTransposed/${sizesOf(heads, n, d)}`,
    parameters: { operation: 'matMul, transposed batch', sizes: sizesOf(heads, n, d) },
    directions: BOTH,
    quick: FORWARD,
    works: () => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply: ([q, k]) => tf.matMul(q as tf.Tensor, k as tf.Tensor, false, true),
      },
      { ...common, name: OURS, apply: ([q, k]) => matMul(q as tf.Tensor, transposeLast(k as tf.Tensor)) },
    ],
  };
};

/** The projection to q, k and v of a ViT-S. */
const affine = (rows: number, inputs: number, outputs: number): OpCase => {
  const x = normalInput('x', [rows, inputs]);
  const weight = normalInput('weight', [inputs, outputs], { std: inputs ** -0.5 });
  const bias = normalInput('bias', [outputs]);
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x, weight, bias],
    outputShape: [rows, outputs],
    samples: () =>
      sampleOutputs(
        [rows, outputs],
        ([i, j]) => at(bias, j as number) + sum(inputs, (c) => at(x, i as number, c) * at(weight, c, j as number)),
      ),
    macs: rows * inputs * outputs,
    params: parametersIn(weight, bias),
  };
  return {
    name: `linear/${sizesOf(rows, inputs, outputs)}`,
    parameters: { operation: 'linear', sizes: sizesOf(rows, inputs, outputs) },
    directions: BOTH,
    works: () => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply: ([x, weight, bias]) => tf.add(stockMatMul(x as tf.Tensor, weight as tf.Tensor), bias as tf.Tensor),
      },
      {
        ...common,
        name: OURS,
        apply: ([x, weight, bias]) => linear(x as tf.Tensor, weight as tf.Tensor2D, bias as tf.Tensor1D),
      },
    ],
  };
};

/** The patch embedding of a ViT-S/16 on an image of 224 pixels. */
const patches = (side: number, patch: number, outputs: number): OpCase => {
  const x = normalInput('image', [1, side, side, 3]);
  const weight = normalInput('patches', [patch, patch, 3, outputs], { std: 1 / (patch * Math.sqrt(3)) });
  const count = side / patch;
  const shape = [1, count, count, outputs];
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x, weight],
    outputShape: shape,
    samples: () =>
      sampleOutputs(shape, ([, row, column, o]) =>
        sum(patch, (u) =>
          sum(patch, (v) =>
            sum(3, (c) => {
              const pixel = at(x, 0, (row as number) * patch + u, (column as number) * patch + v, c);
              return pixel * at(weight, u, v, c, o as number);
            }),
          ),
        ),
      ),
    macs: count * count * patch * patch * 3 * outputs,
    params: parametersIn(weight),
  };
  return {
    name: `patchEmbed2d/${sizesOf(side, patch, outputs)}`,
    parameters: { operation: 'patchEmbed2d', sizes: sizesOf(side, patch, outputs) },
    directions: BOTH,
    works: () => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply: ([x, weight]) => tf.conv2d(x as tf.Tensor4D, weight as tf.Tensor4D, patch, 'valid'),
      },
      { ...common, name: OURS, apply: ([x, weight]) => patchEmbed2d(x as tf.Tensor4D, weight as tf.Tensor4D) },
    ],
  };
};

export const products: readonly OpCase[] = [
  matrices(197, 384, 1536),
  transposedBatch(6, 197, 64),
  affine(197, 384, 1152),
  patches(224, 16, 384),
  matrices(1024, 1024, 1024),
];
