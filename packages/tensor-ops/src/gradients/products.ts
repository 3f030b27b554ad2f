import * as tf from '@tensorflow/tfjs-core';
import { ConfigError } from '../errors.ts';
import { sumToShape, transposeLast } from '../matMul.ts';
import { at, type Entry } from './entry.ts';

/**
 * y = A B, where A is a or its transpose, B is b or its transpose; leading dimensions broadcast.
 *
 * No transpose flag is passed on: on wasm it selects a scalar path that is eight times slower than a transpose and a
 * product.
 */
const matrixProduct: Entry = {
  kernelName: tf.BatchMatMul,
  inputsToSave: ['a', 'b'],
  gradFunc: (gradient, saved, { transposeA, transposeB }) => {
    const dy = gradient as tf.Tensor;
    const [a, b] = [at(saved, 0), at(saved, 1)];
    const t = transposeLast;
    const da = () => {
      if (transposeA) return transposeB ? tf.matMul(t(b), t(dy)) : tf.matMul(b, t(dy));
      return tf.matMul(dy, transposeB ? b : t(b));
    };
    const db = () => {
      if (transposeB) return transposeA ? tf.matMul(t(dy), t(a)) : tf.matMul(t(dy), a);
      return tf.matMul(transposeA ? a : t(a), dy);
    };
    return { a: () => sumToShape(da(), a.shape), b: () => sumToShape(db(), b.shape) };
  },
};

/** What the convolution kernels share of their attributes. */
interface Convolution {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dilations: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** The attributes to hand on, once it is sure that the gradient kernels can honour them. */
function checked(attributes: object): Convolution {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes as Convolution;
  if ([dilations].flat().some((dilation) => dilation > 1)) {
    throw new ConfigError(
      'dilations',
      '1 where a gradient is taken',
      dilations,
      'No backend has gradient kernels for dilated convolutions; write the zeros into the filter instead.',
    );
  }
  return { strides, pad, dataFormat, dilations, ...(dimRoundingMode === undefined ? {} : { dimRoundingMode }) };
}

function run(kernel: string, inputs: Record<string, tf.Tensor>, attributes: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
}

/**
 * The gradient of a convolution's input. At stride 1 it is itself a convolution, with the filter turned by 180 degrees
 * and its channels exchanged, and padding k - 1 - p: on wasm that is ten times as fast as the kernel made for it.
 */
function inputGradient(dy: tf.Tensor, filter: tf.Tensor, shared: Convolution, inputShape: number[]): tf.Tensor {
  const turned = turnedPadding(shared, inputShape, filter.shape);
  if (turned === undefined) return run(tf.Conv2DBackpropInput, { dy, filter }, { ...shared, inputShape });
  const exchanged = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(dy as tf.Tensor4D, exchanged as tf.Tensor4D, 1, turned);
}

/** The padding that {@link inputGradient} needs, or undefined where it must take the kernel made for it. */
function turnedPadding(
  { strides, pad, dataFormat, dimRoundingMode }: Convolution,
  inputShape: number[],
  filterShape: number[],
): tf.backend_util.ExplicitPadding | undefined {
  if (dataFormat === 'NCHW' || [strides].flat().some((stride) => stride > 1)) return undefined;
  type Shape = [number, number, number, number];
  const { computeConv2DInfo } = tf.backend_util;
  const info = computeConv2DInfo(inputShape as Shape, filterShape as Shape, 1, 1, pad, dimRoundingMode);
  const { top, bottom, left, right } = info.padInfo;
  const [rows, columns] = [info.filterHeight - 1, info.filterWidth - 1];
  if (Math.max(top, bottom) > rows || Math.max(left, right) > columns) return undefined;
  return [[0, 0], [rows - top, rows - bottom], [columns - left, columns - right], [0, 0]]; // biome-ignore format: one pair an axis
}

const convolution: Entry = {
  kernelName: tf.Conv2D,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, saved, attributes) => {
    const [x, filter] = [at(saved, 0), at(saved, 1)];
    const shared = checked(attributes);
    const inputs = { dy: dy as tf.Tensor };
    return {
      x: () => inputGradient(dy as tf.Tensor, filter, shared, x.shape),
      filter: () => run(tf.Conv2DBackpropFilter, { ...inputs, x }, { ...shared, filterShape: filter.shape }),
    };
  },
};

/** The transposed convolution (`tf.conv2dTranspose`): its `dy` is an input, and its gradient is the convolution. */
const transposedConvolution: Entry = {
  kernelName: tf.Conv2DBackpropInput,
  inputsToSave: ['dy', 'filter'],
  gradFunc: (gradient, saved, attributes) => {
    const [x, filter] = [at(saved, 0), at(saved, 1)];
    // This kernel has no dilations.
    const shared = checked({ ...attributes, dilations: 1 });
    const dx = gradient as tf.Tensor;
    return {
      dy: () => run(tf.Conv2D, { x: dx, filter }, shared),
      filter: () => run(tf.Conv2DBackpropFilter, { x: dx, dy: x }, { ...shared, filterShape: filter.shape }),
    };
  },
};

const depthwiseConvolution: Entry = {
  kernelName: tf.DepthwiseConv2dNative,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, saved, attributes) => {
    const [x, filter] = [at(saved, 0), at(saved, 1)];
    const shared = checked(attributes);
    const inputs = { dy: dy as tf.Tensor };
    return {
      x: () => run(tf.DepthwiseConv2dNativeBackpropInput, { ...inputs, filter }, { ...shared, inputShape: x.shape }),
      filter: () =>
        run(tf.DepthwiseConv2dNativeBackpropFilter, { ...inputs, x }, { ...shared, filterShape: filter.shape }),
    };
  },
};

export const products: readonly Entry[] = [matrixProduct, convolution, transposedConvolution, depthwiseConvolution];
