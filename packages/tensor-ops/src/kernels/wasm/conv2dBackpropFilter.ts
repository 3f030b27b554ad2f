import * as tf from '@tensorflow/tfjs-core';
import { floats, memoryOffset, reach, runKernel, type WasmBackend, wasmKernel } from './backend.ts';
import { type SimdKernels, simdKernels } from './simd.ts';

interface Attributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat: 'NHWC' | 'NCHW';
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly filterShape: [number, number, number, number];
}

type Info = tf.backend_util.Conv2DInfo;

/** What both ways of computing it work on. x [B, H, W, Ci], dy [B, H', W', Co] -> result [kh, kw, Ci, Co]. */
interface Problem {
  readonly backend: WasmBackend;
  readonly x: tf.TensorInfo;
  readonly dy: tf.TensorInfo;
  readonly info: Info;
}

/**
 * Gradient of a convolution with respect to its filter.
 *
 * `dW[u,v,ci,co] = sum_{b,i,j} x[b, s i + u - p, s j + v - q, ci] * dy[b,i,j,co]`; x [B, H, W, Ci], dy [B, H', W', Co]
 * -> dW [kh, kw, Ci, Co].
 *
 * For each tap (u, v) it is the product X^T dy, where X [B H' W', Ci] are the input positions that the tap meets, zero
 * where it is outside. By our SIMD kernel, else by the backend's own matrix product.
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
    const problem = { backend, x, dy, info };
    const simd = simdKernels(backend);
    const result = simd ? bySimd(problem, simd) : byMatrixProduct(problem);
    return { ...result, shape: [...filterShape] };
  },
);

/** Image by image, so that what the taps share stays in the cache. */
function bySimd({ backend, x, dy, info }: Problem, simd: SimdKernels): tf.TensorInfo {
  const { batchSize, inChannels, outChannels, filterHeight, filterWidth, outHeight, outWidth } = info;
  const size = inChannels * outChannels;
  const result = backend.makeOutput([filterHeight * filterWidth, size], 'float32');
  floats(backend, result).fill(0);
  const sums = memoryOffset(backend, result);
  const dyAt = memoryOffset(backend, dy);
  const positions = outHeight * outWidth;
  if (meetsAll(info)) {
    simd.addTransposedProduct(memoryOffset(backend, x), dyAt, sums, batchSize * positions, inChannels, outChannels);
    return result;
  }
  const met = backend.makeOutput([positions, inChannels], 'float32');
  const metAt = memoryOffset(backend, met);
  const [from, to] = [floats(backend, x), floats(backend, met)];
  for (let b = 0; b < batchSize; b++) {
    for (let tap = 0; tap < filterHeight * filterWidth; tap++) {
      copyMetByTap(from, to, info, { first: b, count: 1 }, Math.floor(tap / filterWidth), tap % filterWidth);
      const dyOfImage = dyAt + 4 * b * positions * outChannels;
      simd.addTransposedProduct(metAt, dyOfImage, sums + 4 * tap * size, positions, inChannels, outChannels);
    }
  }
  backend.disposeData(met.dataId);
  return result;
}

/** A 1x1 filter that moves by one meets every position of x as it is. */
function meetsAll({ filterHeight, filterWidth, strideHeight, strideWidth, padInfo }: Info): boolean {
  const { top, bottom, left, right } = padInfo;
  return filterHeight * filterWidth * strideHeight * strideWidth === 1 && top + bottom + left + right === 0;
}

function byMatrixProduct({ backend, x, dy, info }: Problem): tf.TensorInfo {
  const { batchSize, inChannels, outChannels, filterHeight, filterWidth } = info;
  const positions = batchSize * info.outHeight * info.outWidth;
  const dyT = transpose(backend, { ...dy, shape: [positions, outChannels] }, [1, 0]);
  const taps = backend.makeOutput([filterHeight * filterWidth, outChannels, inChannels], 'float32');
  for (let tap = 0; tap < filterHeight * filterWidth; tap++) {
    // A new tensor each time: the product packs its right operand once per tensor, and would not see it change.
    const met = backend.makeOutput([positions, inChannels], 'float32');
    const [from, to] = [floats(backend, x), floats(backend, met)];
    copyMetByTap(from, to, info, { first: 0, count: batchSize }, Math.floor(tap / filterWidth), tap % filterWidth);
    const product = matrixProduct(backend, dyT, met);
    floats(backend, taps).set(floats(backend, product), tap * outChannels * inChannels);
    for (const temporary of [met, product]) backend.disposeData(temporary.dataId);
  }
  const result = transpose(backend, taps, [0, 2, 1]);
  for (const temporary of [dyT, taps]) backend.disposeData(temporary.dataId);
  return result;
}

/** The positions of x that tap (u, v) meets, for `count` images: [count H' W', Ci]. */
function copyMetByTap(
  x: Float32Array,
  met: Float32Array,
  info: Info,
  { first, count }: { readonly first: number; readonly count: number },
  u: number,
  v: number,
): void {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth, padInfo } = info;
  const offsetRow = u - padInfo.top;
  const offsetColumn = v - padInfo.left;
  const [rowFrom, rowTo] = reach(offsetRow, strideHeight, inHeight, outHeight);
  const [from, to] = reach(offsetColumn, strideWidth, inWidth, outWidth);
  met.fill(0);
  for (let b = 0; b < count; b++) {
    for (let row = rowFrom; row < rowTo; row++) {
      const source = ((first + b) * inHeight + row * strideHeight + offsetRow) * inWidth + offsetColumn;
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
