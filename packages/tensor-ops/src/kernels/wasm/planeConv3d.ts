import type * as tf from '@tensorflow/tfjs-core';
import { PLANE_CONV3D, PLANE_CONV3D_FILTER } from '../names.ts';
import { floats, memoryOffset, wasmKernel } from './backend.ts';
import { simdKernels } from './simd.ts';

type Shape5 = [number, number, number, number, number];

/** 3x3x3 convolution with zero padding: x [P, B, a, b, c], filter [3, 3, 3, P, O] -> [O, B, a, b, c]. */
export const planeConv3d = wasmKernel<'x' | 'filter', object>(PLANE_CONV3D, ({ inputs: { x, filter }, backend }) => {
  const [planes, batch, ...size] = x.shape as Shape5;
  const outputs = filter.shape[4] as number;
  const result = backend.makeOutput([outputs, batch, ...size], 'float32');
  const simd = simdKernels(backend);
  if (simd) {
    const [from, weights, to] = [x, filter, result].map((tensor) => memoryOffset(backend, tensor));
    simd.planeConv3d(from as number, weights as number, to as number, planes, outputs, batch, ...size);
    return result;
  }
  const [values, weights, y] = [x, filter, result].map((tensor) => floats(backend, tensor)) as Float32Array[];
  const sums = new Float64Array((y as Float32Array).length);
  visitTaps(x.shape as Shape5, outputs, (at, to, tap, count) => {
    const weight = (weights as Float32Array)[tap] as number;
    for (let k = 0; k < count; k++) (sums[to + k] as number) += weight * ((values as Float32Array)[at + k] as number);
  });
  (y as Float32Array).set(sums);
  return result;
});

/** Gradient of its filter: x [P, B, a, b, c], dy [O, B, a, b, c] -> [3, 3, 3, P, O]. Summed in float64 over rows. */
export const planeConv3dFilter = wasmKernel<'x' | 'dy', object>(
  PLANE_CONV3D_FILTER,
  ({ inputs: { x, dy }, backend }) => {
    const [planes, batch, ...size] = x.shape as Shape5;
    const outputs = dy.shape[0] as number;
    const result = backend.makeOutput([3, 3, 3, planes, outputs], 'float32');
    const count = 27 * planes * outputs;
    const simd = simdKernels(backend);
    if (simd) {
      const wide: tf.TensorInfo = backend.makeOutput([2 * count], 'float32');
      const [from, gradients, to] = [x, dy, wide].map((tensor) => memoryOffset(backend, tensor));
      simd.planeConv3dFilter(from as number, gradients as number, to as number, planes, outputs, batch, ...size);
      const { buffer, byteOffset } = floats(backend, wide);
      // A copy: float64 may not lie on a multiple of 8 there.
      floats(backend, result).set(new Float64Array(buffer.slice(byteOffset, byteOffset + 8 * count)));
      backend.disposeData(wide.dataId);
      return result;
    }
    const [values, gradients] = [x, dy].map((tensor) => floats(backend, tensor)) as [Float32Array, Float32Array];
    const sums = new Float64Array(count);
    visitTaps(x.shape as Shape5, outputs, (at, to, tap, length) => {
      for (let k = 0; k < length; k++) {
        (sums[tap] as number) += (values[at + k] as number) * (gradients[to + k] as number);
      }
    });
    floats(backend, result).set(sums);
    return result;
  },
);

/** Visits every part of a row that a tap connects: from `at` in x to `to` in the output, `count` values long. */
function visitTaps(
  [planes, batch, a, b, c]: Shape5,
  outputs: number,
  each: (at: number, to: number, tap: number, count: number) => void,
): void {
  for (let tap = 0; tap < 27; tap++) {
    const [u, v, w] = [Math.floor(tap / 9) - 1, (Math.floor(tap / 3) % 3) - 1, (tap % 3) - 1];
    const [from, to] = [Math.max(0, -w), Math.min(c, c - w)];
    for (let p = 0; p < planes; p++) {
      for (let o = 0; o < outputs; o++) {
        for (let s = 0; s < batch; s++) {
          for (let i = Math.max(0, -u); i < Math.min(a, a - u); i++) {
            for (let j = Math.max(0, -v); j < Math.min(b, b - v); j++) {
              const target = (((o * batch + s) * a + i) * b + j) * c + from;
              const source = (((p * batch + s) * a + i + u) * b + j + v) * c + from + w;
              each(source, target, (tap * planes + p) * outputs + o, to - from);
            }
          }
        }
      }
    }
  }
}
