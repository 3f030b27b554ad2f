import * as tf from '@tensorflow/tfjs-core';
import { floats, reach, runKernel, type WasmBackend, wasmKernel } from './backend.ts';

interface Attributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly filterShape: [number, number, number, number];
}

type Info = tf.backend_util.Conv2DInfo;

/**
 * Gradient of a convolution with respect to its filter.
 *
 * `dW[u,v,ci,co] = sum_{b,i,j} x[b, s i + u - p, s j + v - q, ci] * dy[b,i,j,co]`; x [B, H, W, Ci], dy [B, H', W', Co]
 * -> dW [kh, kw, Ci, Co].
 *
 * For each tap (u, v) the input positions that it meets are copied into a matrix [P, Ci] (P = B H' W', zero where the
 * tap is outside), and the backend's own matrix product, several times as fast as any loop here could be, multiplies
 * dy^T [Co, P] with it.
 */
export const conv2DBackpropFilter = wasmKernel<'x' | 'dy', Attributes>(
  tf.Conv2DBackpropFilter,
  ({ inputs: { x, dy }, attrs, backend }) => {
    if (attrs.dataFormat === 'NCHW') {
      throw new Error('Conv2DBackpropFilter on wasm: NCHW is not supported, as with every convolution of this backend');
    }
    const { strides, pad, dimRoundingMode, filterShape } = attrs;
    const shape = x.shape as [number, number, number, number];
    const info = tf.backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
    const { inChannels, outChannels, filterHeight, filterWidth } = info;
    const positions = info.batchSize * info.outHeight * info.outWidth;

    const dyT = transpose(backend, { ...dy, shape: [positions, outChannels] }, [1, 0]);
    const taps = backend.makeOutput([filterHeight * filterWidth, outChannels, inChannels], 'float32');
    for (let u = 0; u < filterHeight; u++) {
      for (let v = 0; v < filterWidth; v++) {
        // A new tensor each time: the product packs its right operand once per tensor, and would not see it change.
        const met = backend.makeOutput([positions, inChannels], 'float32');
        copyMetByTap(floats(backend, x), floats(backend, met), info, u, v);
        const product = matrixProduct(backend, dyT, met);
        floats(backend, taps).set(floats(backend, product), (u * filterWidth + v) * outChannels * inChannels);
        for (const temporary of [met, product]) backend.disposeData(temporary.dataId);
      }
    }
    const result = transpose(backend, taps, [0, 2, 1]);
    for (const temporary of [dyT, taps]) backend.disposeData(temporary.dataId);
    return { ...result, shape: [...filterShape] };
  },
);

function copyMetByTap(x: Float32Array, met: Float32Array, info: Info, u: number, v: number): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  const offsetRow = u - padInfo.top;
  const offsetColumn = v - padInfo.left;
  const [rowFrom, rowTo] = reach(offsetRow, strideHeight, inHeight, outHeight);
  const [from, to] = reach(offsetColumn, strideWidth, inWidth, outWidth);
  met.fill(0);
  for (let b = 0; b < batchSize; b++) {
    for (let row = rowFrom; row < rowTo; row++) {
      const source = (b * inHeight + row * strideHeight + offsetRow) * inWidth + offsetColumn;
      const target = (b * outHeight + row) * outWidth;
      if (strideWidth === 1) {
        // Neighbours stay neighbours: the whole row at once.
        met.set(x.subarray((source + from) * inChannels, (source + to) * inChannels), (target + from) * inChannels);
        continue;
      }
      for (let column = from; column < to; column++) {
        const start = (source + column * strideWidth) * inChannels;
        met.set(x.subarray(start, start + inChannels), (target + column) * inChannels);
      }
    }
  }
}

function transpose(backend: WasmBackend, x: tf.TensorInfo, perm: number[]): tf.TensorInfo {
  return runKernel(backend, tf.Transpose, { x }, { perm });
}

function matrixProduct(backend: WasmBackend, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  return runKernel(backend, tf.BatchMatMul, { a, b }, { transposeA: false, transposeB: false });
}
