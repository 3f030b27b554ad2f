import type * as tf from '@tensorflow/tfjs-core';
import { BATCH_NORM, BATCH_NORM_GRAD, COLUMN_MOMENTS } from '../names.ts';
import { floats, memoryOffset, type WasmBackend } from './backend.ts';
import { simdKernels } from './simd.ts';

// Training-mode batch normalisation: each kernel by SIMD, else by plain loops.

type Inputs = Readonly<Record<'x' | 'dy' | 'mean' | 'inverseStd' | 'gamma' | 'beta', tf.TensorInfo>>;

function kernel(
  kernelName: string,
  compute: (inputs: Inputs, backend: WasmBackend) => tf.TensorInfo[],
): tf.KernelConfig {
  const kernelFunc: tf.KernelFunc = ({ inputs, backend }) =>
    compute(inputs as unknown as Inputs, backend as unknown as WasmBackend);
  return { kernelName, backendName: 'wasm', kernelFunc };
}

/** Mean and biased variance of each column: x [rows, C] -> mean, variance [C]. */
export const columnMoments = kernel(COLUMN_MOMENTS, ({ x }, backend) => {
  const [rows, channels] = x.shape as [number, number];
  const results = [channels, channels].map((size) => backend.makeOutput([size], 'float32'));
  const tensors = [x, ...results];
  const simd = simdKernels(backend);
  if (simd) {
    simd.columnMoments(...pointers(backend, tensors), rows, channels);
    return results;
  }
  const [values, mean, variance] = views<Three>(backend, tensors);
  for (let c = 0; c < channels; c++) {
    let [sum, squares] = [0, 0];
    for (let at = c; at < values.length; at += channels) sum += values[at] as number;
    for (let at = c; at < values.length; at += channels) squares += ((values[at] as number) - sum / rows) ** 2;
    mean[c] = sum / rows;
    variance[c] = squares / rows;
  }
  return results;
});

/** `y = (x - mean) inverseStd gamma + beta`: x [rows, C], the others [C]. */
export const batchNorm = kernel(BATCH_NORM, ({ x, mean, inverseStd, gamma, beta }, backend) => {
  const [rows, channels] = x.shape as [number, number];
  const result = backend.makeOutput(x.shape, 'float32');
  const tensors = [x, mean, inverseStd, gamma, beta, result];
  const simd = simdKernels(backend);
  if (simd) {
    simd.batchNorm(...pointers(backend, tensors), rows, channels);
    return [result];
  }
  const [values, m, i, g, b, y] = views<[...Three, ...Three]>(backend, tensors);
  for (let at = 0; at < values.length; at++) {
    const c = at % channels;
    const normal = ((values[at] as number) - (m[c] as number)) * (i[c] as number);
    y[at] = normal * (g[c] as number) + (b[c] as number);
  }
  return [result];
});

/**
 * Gradients of training-mode batch normalisation: x, dy [rows, C], mean, inverseStd, gamma [C] -> dx, dgamma, dbeta.
 *
 * With n = (x - mean) inverseStd, over the rows: `dgamma = sum of dy n`, `dbeta = sum of dy`,
 * `dx = gamma inverseStd (dy - dbeta / rows - n dgamma / rows)`.
 */
export const batchNormGrad = kernel(BATCH_NORM_GRAD, ({ x, dy, mean, inverseStd, gamma }, backend) => {
  const [rows, channels] = x.shape as [number, number];
  const results = [[rows, channels], [channels], [channels]].map((shape) => backend.makeOutput(shape, 'float32'));
  const tensors = [x, dy, mean, inverseStd, gamma, ...results];
  const simd = simdKernels(backend);
  if (simd) {
    simd.batchNormGrad(...pointers(backend, tensors), rows, channels);
    return results;
  }
  const [values, slopes, m, i, g, dx, dGamma, dBeta] = views<[...Three, ...Three, Float32Array, Float32Array]>(backend, tensors); // biome-ignore format: one list
  const normal = (at: number, c: number) => ((values[at] as number) - (m[c] as number)) * (i[c] as number);
  dGamma.fill(0);
  dBeta.fill(0);
  for (let at = 0; at < values.length; at++) {
    const c = at % channels;
    (dGamma[c] as number) += (slopes[at] as number) * normal(at, c);
    (dBeta[c] as number) += slopes[at] as number;
  }
  for (let at = 0; at < values.length; at++) {
    const c = at % channels;
    const mean = ((dBeta[c] as number) + normal(at, c) * (dGamma[c] as number)) / rows;
    dx[at] = (g[c] as number) * (i[c] as number) * ((slopes[at] as number) - mean);
  }
  return results;
});

type Three = [Float32Array, Float32Array, Float32Array];

function views<Arrays extends Float32Array[]>(backend: WasmBackend, tensors: readonly tf.TensorInfo[]): Arrays {
  return tensors.map((tensor) => floats(backend, tensor)) as Arrays;
}

function pointers(backend: WasmBackend, tensors: readonly tf.TensorInfo[]): number[] {
  return tensors.map((tensor) => memoryOffset(backend, tensor));
}
