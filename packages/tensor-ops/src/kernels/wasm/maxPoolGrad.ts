import * as tf from '@tensorflow/tfjs-core';
import { MAX_POOL_GRAD } from '../names.ts';
import { floats, wasmKernel } from './backend.ts';

interface Attributes {
  readonly filterSize: number;
  readonly strides: number;
  readonly pad: number;
}

/**
 * Gradient of a max pool: each value of dy [B, H', W', C] is added where x [B, H, W, C] was largest in its window, at the
 * first such position, row by row.
 */
export const maxPoolGrad = wasmKernel<'x' | 'dy', Attributes>(
  MAX_POOL_GRAD,
  ({ inputs, attrs: { filterSize, strides, pad }, backend }) => {
    const shape = inputs.x.shape as [number, number, number, number];
    const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad);
    const { batchSize, inHeight, inWidth, inChannels: channels, outHeight, outWidth } = info;
    const result = backend.makeOutput(shape, 'float32');
    const [x, dy, dx] = [floats(backend, inputs.x), floats(backend, inputs.dy), floats(backend, result).fill(0)];
    const largest = new Float32Array(channels);
    const where = new Int32Array(channels);
    for (let b = 0, y = 0; b < batchSize; b++) {
      for (let row = 0; row < outHeight; row++) {
        const [rowFrom, rowTo] = inside(row * strides - pad, filterSize, inHeight);
        for (let column = 0; column < outWidth; column++, y += channels) {
          const [from, to] = inside(column * strides - pad, filterSize, inWidth);
          largest.fill(Number.NEGATIVE_INFINITY);
          // For windows that hold nothing above -infinity.
          where.fill(((b * inHeight + rowFrom) * inWidth + from) * channels);
          for (let i = rowFrom; i < rowTo; i++) {
            for (let j = from; j < to; j++) {
              const at = ((b * inHeight + i) * inWidth + j) * channels;
              for (let c = 0; c < channels; c++) {
                const value = x[at + c] as number;
                if (value > (largest[c] as number)) {
                  largest[c] = value;
                  where[c] = at;
                }
              }
            }
          }
          for (let c = 0; c < channels; c++) (dx[(where[c] as number) + c] as number) += dy[y + c] as number;
        }
      }
    }
    return result;
  },
);

/** The part of a window that lies inside. */
function inside(start: number, size: number, limit: number): [number, number] {
  return [Math.max(0, start), Math.min(limit, start + size)];
}
