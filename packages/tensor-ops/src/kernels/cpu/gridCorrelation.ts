import type * as tf from '@tensorflow/tfjs-core';
import { product } from '../../shape.ts';
import { fftKernels, type RunOnMachine } from '../fft/kernels.ts';
import { portablePrimitives } from '../fft/portable.ts';

/** What a kernel needs of tfjs' `MathBackendCPU`. */
interface CpuBackend {
  readSync(dataId: tf.DataId): Float32Array;
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: Float32Array): tf.TensorInfo;
}

/** In a memory of its own, which inputs are copied into and outputs out of. */
const runOnCpu: RunOnMachine = (anyBackend, inputs, outputs, compute) => {
  const backend = anyBackend as CpuBackend;
  // Nothing lies at 0, which stands for "none" in the primitives.
  let used = 4;
  let buffer = new ArrayBuffer(4);
  const allocate = (bytes: number) => {
    const place = used;
    used += 4 * Math.ceil(bytes / 4);
    if (used > buffer.byteLength) {
      const larger = new Uint8Array(Math.max(used, 2 * buffer.byteLength));
      larger.set(new Uint8Array(buffer));
      buffer = larger.buffer;
    }
    return place;
  };
  const memory = { floats: () => new Float32Array(buffer), integers: () => new Int32Array(buffer) };
  const places = inputs.map(({ dataId }) => {
    const values = backend.readSync(dataId);
    const place = allocate(values.byteLength);
    memory.floats().set(values, place / 4);
    return place;
  });
  const results = outputs.map((shape) => allocate(4 * product(shape)));
  compute({ ...portablePrimitives(memory), ...memory, allocate }, places, results);
  return outputs.map((shape, i) => {
    const from = (results[i] as number) / 4;
    return backend.makeTensorInfo([...shape], 'float32', memory.floats().slice(from, from + product(shape)));
  });
};

/** Correlations with tables as large as the grid, by fast Fourier transforms as plain loops. */
export const gridCorrelationKernels: readonly tf.KernelConfig[] = fftKernels('cpu', runOnCpu);
