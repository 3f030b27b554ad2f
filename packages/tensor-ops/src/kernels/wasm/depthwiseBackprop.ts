import * as tf from '@tensorflow/tfjs-core';
import { floats, memoryOffset, reach, wasmKernel } from './backend.ts';
import { simdKernels } from './simd.ts';

interface Attributes {
  readonly strides: number | [number, number];
  readonly dilations: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Shape4 = [number, number, number, number];
type Info = tf.backend_util.Conv2DInfo;

function convolution(attrs: Attributes, inputShape: Shape4, filterShape: Shape4): Info {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  return tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, dilations, pad, dimRoundingMode, true);
}

/**
 * Visits, for each tap (u, v) of the filter, each row (b, i) of the output and the `count` columns in it at which the tap
 * reads inside of the input. `x`, `y` and `tap` are the offsets of the channels at the first of them, in the input, in
 * the output and in the filter. The loops over columns and channels are the callers': there a call would cost too much.
 */
function visitRows(info: Info, each: (x: number, y: number, tap: number, count: number) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, filterHeight, filterWidth } = info;
  for (let u = 0; u < filterHeight; u++) {
    const offsetRow = u * dilationHeight - padInfo.top;
    const [rowFrom, rowTo] = reach(offsetRow, strideHeight, inHeight, outHeight);
    for (let v = 0; v < filterWidth; v++) {
      const offsetColumn = v * dilationWidth - padInfo.left;
      const [from, to] = reach(offsetColumn, strideWidth, inWidth, outWidth);
      const tap = (u * filterWidth + v) * outChannels;
      for (let b = 0; b < batchSize; b++) {
        for (let row = rowFrom; row < rowTo; row++) {
          const xRow = (b * inHeight + row * strideHeight + offsetRow) * inWidth + offsetColumn;
          const yRow = (b * outHeight + row) * outWidth;
          each((xRow + from * strideWidth) * inChannels, (yRow + from) * outChannels, tap, to - from);
        }
      }
    }
  }
}

/**
 * Gradient of a depthwise convolution with respect to its filter.
 *
 * `dW[u,v,c,m] = sum_{b,i,j} x[b, s i + u - p, s j + v - q, c] * dy[b,i,j,c M + m]`; x [B, H, W, C],
 * dy [B, H', W', C*M] -> dW [kh, kw, C, M]. Without multiplier by SIMD in float32, row by row; else in float64.
 */
export const depthwiseConv2dBackpropFilter = wasmKernel<'x' | 'dy', Attributes & { filterShape: Shape4 }>(
  tf.DepthwiseConv2dNativeBackpropFilter,
  ({ inputs, attrs, backend }) => {
    const info = convolution(attrs, inputs.x.shape as Shape4, attrs.filterShape);
    const channels = info.inChannels;
    const multiplier = info.outChannels / channels;
    const result = backend.makeOutput(attrs.filterShape, 'float32');
    const simd = multiplier === 1 ? simdKernels(backend) : undefined;
    if (simd) {
      floats(backend, result).fill(0);
      const [x, dy, sums] = [inputs.x, inputs.dy, result].map((tensor) => memoryOffset(backend, tensor));
      visitRows(info, (xFrom, yFrom, tap, count) => {
        const [xAt, yAt, sumsAt] = [(x as number) + 4 * xFrom, (dy as number) + 4 * yFrom, (sums as number) + 4 * tap];
        simd.addRowProducts(xAt, yAt, sumsAt, count, channels, info.strideWidth);
      });
      return result;
    }
    const x = floats(backend, inputs.x);
    const dy = floats(backend, inputs.dy);
    const sums = new Float64Array(tf.util.sizeFromShape(attrs.filterShape));
    const xStep = info.strideWidth * channels;
    visitRows(info, (xFrom, yFrom, tap, count) => {
      for (let column = 0; column < count; column++) {
        const xAt = xFrom + column * xStep;
        const yAt = yFrom + column * info.outChannels;
        for (let c = 0; c < channels; c++) {
          const value = x[xAt + c] as number;
          for (let m = c * multiplier, end = m + multiplier; m < end; m++) {
            (sums[tap + m] as number) += value * (dy[yAt + m] as number);
          }
        }
      }
    });
    floats(backend, result).set(sums);
    return result;
  },
);

/**
 * Gradient of a depthwise convolution with respect to its input.
 *
 * `dx[b, s i + u - p, s j + v - q, c] += dy[b,i,j,c M + m] * W[u,v,c,m]`; dy [B, H', W', C*M], W [kh, kw, C, M]
 * -> dx [B, H, W, C].
 */
export const depthwiseConv2dBackpropInput = wasmKernel<'dy' | 'filter', Attributes & { inputShape: Shape4 }>(
  tf.DepthwiseConv2dNativeBackpropInput,
  ({ inputs, attrs, backend }) => {
    const info = convolution(attrs, attrs.inputShape, inputs.filter.shape as Shape4);
    const channels = info.inChannels;
    const multiplier = info.outChannels / channels;
    const result = backend.makeOutput(attrs.inputShape, 'float32');
    const dx = floats(backend, result).fill(0);
    const dy = floats(backend, inputs.dy);
    const filter = floats(backend, inputs.filter);
    const xStep = info.strideWidth * channels;
    visitRows(info, (xFrom, yFrom, tap, count) => {
      for (let column = 0; column < count; column++) {
        const xAt = xFrom + column * xStep;
        const yAt = yFrom + column * info.outChannels;
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let m = c * multiplier, end = m + multiplier; m < end; m++) {
            sum += (dy[yAt + m] as number) * (filter[tap + m] as number);
          }
          (dx[xAt + c] as number) += sum;
        }
      }
    });
    return result;
  },
);
