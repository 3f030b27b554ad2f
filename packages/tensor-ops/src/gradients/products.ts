import * as tf from '@tensorflow/tfjs-core';
import { convInputGradient } from '../convInputGradient.ts';
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
  const backend = tf.getBackend();
  if (!tf.getKernel(kernel, backend)) {
    const hint =
      backend === 'wasm' ? "To train on wasm, import '@saccade/tensor-ops/wasm' once." : 'Choose another one.';
    throw new ConfigError('backend', `one that has the kernel ${kernel}`, backend, hint);
  }
  return tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
}

/** The gradient of a convolution's input: on wasm ten times as fast as the kernel made for it, which is for NCHW. */
function inputGradient(dy: tf.Tensor, filter: tf.Tensor, shared: Convolution, shape: number[]): tf.Tensor {
  const { strides, pad, dataFormat, dimRoundingMode } = shared;
  if (dataFormat === 'NCHW') return run(tf.Conv2DBackpropInput, { dy, filter }, { ...shared, inputShape: shape });
  const inputShape = shape as tf.Tensor4D['shape'];
  const filterShape = filter.shape as tf.Tensor4D['shape'];
  const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode);
  return convInputGradient(dy as tf.Tensor4D, filter as tf.Tensor4D, {
    strides: [info.strideHeight, info.strideWidth],
    before: [info.padInfo.top, info.padInfo.left],
    inputShape,
  });
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
