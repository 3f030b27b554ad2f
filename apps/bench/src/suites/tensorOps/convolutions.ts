import { conv2d, depthwiseConv2d, depthwiseTokens, maxPool2d, withGradient } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FunctionWork } from '../support/functionWork.ts';
import { type Input, normalInput } from '../support/inputs.ts';
import { kernelRefusal } from '../support/kernels.ts';
import { sampleOutputs } from '../support/samples.ts';
import { at, BOTH, bothPaths, FORWARD, type OpCase, OURS, parametersIn, STOCK, sizesOf, sum } from './opCase.ts';

type Map4D = tf.Tensor4D;

/** A 3 x 3 convolution of a ResNet-50. */
const convolution = (side: number, channels: number, outputs: number, stride: 1 | 2): OpCase => {
  const x = normalInput('x', [1, side, side, channels]);
  const filter = normalInput('filter', [3, 3, channels, outputs], { std: (9 * channels) ** -0.5 });
  const shape = [1, side / stride, side / stride, outputs] as const;
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x, filter],
    outputShape: shape,
    samples: () =>
      sampleOutputs(shape, ([, i, j, o]) =>
        taps3x3(x, stride * (i as number), stride * (j as number), (u, v, row, column) =>
          sum(channels, (c) => at(x, 0, row, column, c) * at(filter, u, v, c, o as number)),
        ),
      ),
    macs: shape[1] * shape[2] * 9 * channels * outputs,
    params: parametersIn(filter),
  };
  const sizes = `${sizesOf(side, side, channels)}-${outputs}-s${stride}`;
  return {
    name: `conv2d/${sizes}`,
    parameters: { operation: 'conv2d', sizes },
    directions: BOTH,
    ...(stride === 1 && side < 56 && { quick: FORWARD }),
    works: () => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply: ([x, filter]) => stockConv2d(x as Map4D, filter as Map4D, stride),
      },
      {
        ...common,
        name: OURS,
        apply: ([x, filter]) => conv2d(x as Map4D, filter as Map4D, { stride, padding: 1 }),
      },
    ],
  };
};

/** `tf.conv2d` with the gradient that tfjs gives it: its own kernels. (Our table computes that of x by a convolution.) */
function stockConv2d(x: Map4D, filter: Map4D, strides: 1 | 2): Map4D {
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], [1, 1], [1, 1], [0, 0]]; // biome-ignore format: one pair an axis
  const attributes = { strides, pad, dataFormat: 'NHWC', dimRoundingMode: undefined } as unknown as tf.NamedAttrMap;
  return withGradient(
    [x, filter],
    ([x, filter]) => ({ value: tf.conv2d(x, filter, strides, pad), saved: [x, filter] }),
    (dy, [x, filter]) => {
      const own = { ...attributes, inputShape: x.shape };
      const ownFilter = { ...attributes, filterShape: filter.shape };
      return [
        tf.engine().runKernel(tf.Conv2DBackpropInput, { dy, filter }, own) as tf.Tensor,
        tf.engine().runKernel(tf.Conv2DBackpropFilter, { x, dy }, ownFilter) as tf.Tensor,
      ];
    },
  );
}

/** The sum over the taps of a 3 x 3 filter around a place that lie on the map. */
function taps3x3(
  { shape }: Input,
  row: number,
  column: number,
  term: (u: number, v: number, row: number, column: number) => number,
): number {
  const [, height, width] = shape as readonly [number, number, number];
  return sum(9, (tap) => {
    const [u, v] = [Math.floor(tap / 3), tap % 3];
    const [i, j] = [row + u - 1, column + v - 1];
    return i < 0 || j < 0 || i >= height || j >= width ? 0 : term(u, v, i, j);
  });
}

/** Position encodings and local mixers of hybrid networks (UniFormer-S, stages 1 and 3). */
const depthwise = (side: number, channels: number): OpCase => {
  const x = normalInput('x', [1, side, side, channels]);
  const filter = normalInput('filter', [3, 3, channels, 1], { std: 1 / 3 });
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x, filter],
    outputShape: x.shape,
    samples: () =>
      sampleOutputs(x.shape, ([, i, j, c]) =>
        taps3x3(x, i as number, j as number, (u, v, row, column) => {
          return at(x, 0, row, column, c as number) * at(filter, u, v, c as number, 0);
        }),
      ),
    macs: side * side * 9 * channels,
    params: parametersIn(filter),
  };
  return {
    name: `depthwiseConv2d/${sizesOf(side, side, channels)}`,
    parameters: { operation: 'depthwiseConv2d', sizes: sizesOf(side, side, channels) },
    directions: BOTH,
    ...(side < 56 && { quick: BOTH }),
    works: () => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply: ([x, filter]) => tf.depthwiseConv2d(x as Map4D, filter as Map4D, 1, 'same'),
      },
      { ...common, name: OURS, apply: ([x, filter]) => depthwiseConv2d(x as Map4D, filter as Map4D) },
    ],
  };
};

/** Structural keys of StructSA: D = 4 depthwise convolutions of tokens, heads apart. */
const structuralKeys = (side: number, channels: number, heads: number, detectors: number): OpCase => {
  const tokens = side * side;
  const size = channels / heads;
  const x = normalInput('tokens', [1, tokens, channels]);
  const filter = normalInput('detectors', [3, 3, channels, detectors], { std: 1 / 3 });
  const shape = [1, heads, detectors * tokens, size] as const;
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x, filter],
    outputShape: shape,
    samples: () =>
      sampleOutputs(shape, ([, head, entry, e]) => {
        const [d, token] = [Math.floor((entry as number) / tokens), (entry as number) % tokens];
        const c = (head as number) * size + (e as number);
        const map: Input = { ...x, shape: [1, side, side, channels] };
        return taps3x3(map, Math.floor(token / side), token % side, (u, v, row, column) => {
          return at(map, 0, row, column, c) * at(filter, u, v, c, d);
        });
      }),
    macs: tokens * 9 * channels * detectors,
    params: parametersIn(filter),
  };
  const grid = [side, side] as const;
  const ours: FunctionWork['apply'] = ([x, filter]) =>
    depthwiseTokens(x as tf.Tensor3D, filter as tf.Tensor, { grid, heads });
  const sizes = `${sizesOf(side, side, channels)}-D${detectors}`;
  return {
    name: `depthwiseTokens/${sizes}`,
    parameters: { operation: 'depthwiseTokens', sizes },
    directions: BOTH,
    quick: FORWARD,
    works() {
      const fused =
        kernelRefusal(() => ours([tf.ones([1, tokens, channels]), tf.ones(filter.shape.slice())])) === undefined;
      return [
        {
          ...common,
          name: STOCK,
          role: 'peer',
          apply([x, filter]) {
            const map = tf.reshape(x as tf.Tensor, [1, side, side, channels]) as Map4D;
            const y = tf.depthwiseConv2d(map, filter as Map4D, 1, 'same');
            const apart = tf.transpose(tf.reshape(y, [tokens, heads, size, detectors]), [1, 3, 0, 2]);
            return tf.reshape(apart, [...shape]);
          },
        },
        ...bothPaths(common, ours, fused),
      ];
    },
  };
};

/** The pool after the first convolution of a ResNet. */
const pool = (side: number, channels: number): OpCase => {
  const x = normalInput('x', [1, side, side, channels]);
  const shape = [1, side / 2, side / 2, channels] as const;
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x],
    outputShape: shape,
    samples: () =>
      sampleOutputs(shape, ([, i, j, c]) => {
        let largest = Number.NEGATIVE_INFINITY;
        taps3x3(x, 2 * (i as number), 2 * (j as number), (_, __, row, column) => {
          largest = Math.max(largest, at(x, 0, row, column, c as number));
          return 0;
        });
        return largest;
      }),
  };
  return {
    name: `maxPool2d/${sizesOf(side, side, channels)}`,
    parameters: { operation: 'maxPool2d', sizes: sizesOf(side, side, channels) },
    directions: BOTH,
    works: () => [
      { ...common, name: STOCK, role: 'peer', apply: ([x]) => stockMaxPool(x as Map4D) },
      { ...common, name: OURS, apply: ([x]) => maxPool2d(x as Map4D, { size: 3, stride: 2, padding: 1 }) },
    ],
  };
};

/** `tf.maxPool` with the gradient that tfjs gives it: its own kernel. */
function stockMaxPool(x: Map4D): Map4D {
  return withGradient(
    [x],
    ([x]) => {
      const y = tf.maxPool(x, 3, 2, 1);
      return { value: y, saved: [x, y] };
    },
    (dy, [input, output]) => {
      const attributes = { filterSize: 3, strides: 2, pad: 1 };
      return [tf.engine().runKernel(tf.MaxPoolGrad, { dy, input, output }, attributes) as tf.Tensor];
    },
  );
}

export const convolutions: readonly OpCase[] = [
  depthwise(14, 320),
  structuralKeys(14, 320, 5, 4),
  convolution(28, 128, 128, 1),
  convolution(56, 128, 128, 2),
  convolution(56, 64, 64, 1),
  depthwise(56, 64),
  pool(112, 64),
];
