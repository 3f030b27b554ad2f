import type * as tf from '@tensorflow/tfjs-core';
import { LAYER_NORM } from '../names.ts';
import { floats, memoryOffset, type WasmBackend } from './backend.ts';
import { simdKernels } from './simd.ts';

/**
 * `y = (x - mean) inverseStd gamma + beta` for each row of x [rows, C]; gamma, beta [C] -> y, mean [rows, 1], inverseStd
 * [rows, 1]. By SIMD, else plain loops.
 */
export const layerNorm: tf.KernelConfig = {
  kernelName: LAYER_NORM,
  backendName: 'wasm',
  kernelFunc({ inputs, backend, attrs }) {
    const { x, gamma, beta } = inputs as Record<'x' | 'gamma' | 'beta', tf.TensorInfo>;
    return compute([x, gamma, beta], (attrs as { eps: number }).eps, backend as unknown as WasmBackend);
  },
};

function compute(inputs: readonly tf.TensorInfo[], eps: number, backend: WasmBackend): tf.TensorInfo[] {
  const [rows, channels] = (inputs[0] as tf.TensorInfo).shape as [number, number];
  const results = [
    [rows, channels],
    [rows, 1],
    [rows, 1],
  ].map((shape) => backend.makeOutput(shape, 'float32'));
  const tensors = [...inputs, ...results];
  const simd = simdKernels(backend);
  if (simd) {
    simd.layerNorm(...(tensors.map((tensor) => memoryOffset(backend, tensor)) as Six<number>), rows, channels, eps);
    return results;
  }
  const [x, gamma, beta, y, means, inverseStds] = tensors.map((tensor) => floats(backend, tensor)) as Six<Float32Array>;
  for (let row = 0; row < rows; row++) {
    const from = x.subarray(row * channels, (row + 1) * channels);
    const mean = from.reduce((sum, value) => sum + value, 0) / channels;
    const variance = from.reduce((sum, value) => sum + (value - mean) ** 2, 0) / channels;
    const inverse = 1 / Math.sqrt(variance + eps);
    from.forEach((value, c) => {
      y[row * channels + c] = (value - mean) * inverse * (gamma[c] as number) + (beta[c] as number);
    });
    means[row] = mean;
    inverseStds[row] = inverse;
  }
  return results;
}

type Six<T> = [T, T, T, T, T, T];
