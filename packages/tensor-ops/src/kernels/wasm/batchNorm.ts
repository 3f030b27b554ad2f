import type * as tf from '@tensorflow/tfjs-core';
import { BATCH_NORM, BATCH_NORM_GRAD, COLUMN_MOMENTS } from '../names.ts';
import { floats, memoryOffset, type WasmBackend, wasmKernel } from './backend.ts';
import { simdKernels } from './simd.ts';

/** Mean and biased variance of each column, x [rows, C] -> [2, C]. By SIMD, else plain loops; so are the others here. */
export const columnMoments = wasmKernel<'x', object>(COLUMN_MOMENTS, ({ inputs: { x }, backend }) => {
  const [rows, channels] = x.shape as [number, number];
  const result = backend.makeOutput([2, channels], 'float32');
  const simd = simdKernels(backend);
  if (simd) {
    const mean = memoryOffset(backend, result);
    simd.columnMoments(memoryOffset(backend, x), mean, mean + 4 * channels, rows, channels);
    return result;
  }
  const [values, moments] = [floats(backend, x), floats(backend, result)];
  for (let c = 0; c < channels; c++) {
    let [sum, squares] = [0, 0];
    for (let at = c; at < values.length; at += channels) sum += values[at] as number;
    for (let at = c; at < values.length; at += channels) squares += ((values[at] as number) - sum / rows) ** 2;
    moments[c] = sum / rows;
    moments[channels + c] = squares / rows;
  }
  return result;
});

/** `y = (x - mean) inverseStd gamma + beta`, x [rows, C], the others [C]. */
export const batchNorm = wasmKernel<'x' | 'mean' | 'inverseStd' | 'gamma' | 'beta', object>(
  BATCH_NORM,
  ({ inputs: { x, mean, inverseStd, gamma, beta }, backend }) => {
    const [rows, channels] = x.shape as [number, number];
    const result = backend.makeOutput(x.shape, 'float32');
    const tensors = [x, mean, inverseStd, gamma, beta, result];
    const simd = simdKernels(backend);
    if (simd) {
      const pointers = tensors.map((tensor) => memoryOffset(backend, tensor));
      simd.batchNorm(...(pointers as Pointers<6>), rows, channels);
      return result;
    }
    const [values, m, i, g, b, y] = tensors.map((tensor) => floats(backend, tensor)) as Arrays<6>;
    for (let at = 0; at < values.length; at++) {
      const c = at % channels;
      const normal = ((values[at] as number) - (m[c] as number)) * (i[c] as number);
      y[at] = normal * (g[c] as number) + (b[c] as number);
    }
    return result;
  },
);

/**
 * Gradients of training-mode batch normalisation: x, dy [rows, C], mean, inverseStd, gamma [C] -> dx, dgamma, dbeta.
 *
 * With n = (x - mean) inverseStd: `dgamma = sum of dy n`, `dbeta = sum of dy`, over the rows;
 * `dx = gamma inverseStd (dy - dbeta / rows - n dgamma / rows)`.
 */
export const batchNormGrad: tf.KernelConfig = {
  kernelName: BATCH_NORM_GRAD,
  backendName: 'wasm',
  kernelFunc: ({ inputs, backend: anyBackend }) => {
    const backend = anyBackend as WasmBackend;
    const { x, dy, mean, inverseStd, gamma } = inputs as unknown as Record<string, tf.TensorInfo>;
    const [rows, channels] = x?.shape as [number, number];
    const results = [[rows, channels], [channels], [channels]].map((shape) => backend.makeOutput(shape, 'float32'));
    const tensors = [x, dy, mean, inverseStd, gamma, ...results] as tf.TensorInfo[];
    const simd = simdKernels(backend);
    if (simd) {
      const pointers = tensors.map((tensor) => memoryOffset(backend, tensor));
      simd.batchNormGrad(...(pointers as Pointers<8>), rows, channels);
      return results;
    }
    const [values, slopes, m, i, g, dx, dGamma, dBeta] = tensors.map((tensor) => floats(backend, tensor)) as Arrays<8>;
    const normal = (at: number) => {
      const c = at % channels;
      return ((values[at] as number) - (m[c] as number)) * (i[c] as number);
    };
    dGamma.fill(0);
    dBeta.fill(0);
    for (let at = 0; at < values.length; at++) {
      (dGamma[at % channels] as number) += (slopes[at] as number) * normal(at);
      (dBeta[at % channels] as number) += slopes[at] as number;
    }
    for (let at = 0; at < values.length; at++) {
      const c = at % channels;
      const mean = ((dBeta[c] as number) + normal(at) * (dGamma[c] as number)) / rows;
      dx[at] = (g[c] as number) * (i[c] as number) * ((slopes[at] as number) - mean);
    }
    return results;
  },
};

type Tuple<Item, N extends number, Items extends Item[] = []> = Items['length'] extends N
  ? Items
  : Tuple<Item, N, [...Items, Item]>;
type Pointers<N extends number> = Tuple<number, N>;
type Arrays<N extends number> = Tuple<Float32Array, N>;
