import type * as tf from '@tensorflow/tfjs-core';
import { fftKernels, type RunOnMachine } from '../fft/kernels.ts';
import { portablePrimitives } from '../fft/portable.ts';
import type { FftMachine } from '../fft/primitives.ts';
import { floats, memoryOffset, type WasmBackend } from './backend.ts';
import { simdKernels } from './simd.ts';

/** Fields begin with a cache line. */
const ALIGNMENT = 64;

/** In the backend's own memory, without copies; scratch space is tensors that are disposed at the end. */
const runOnWasm: RunOnMachine = (anyBackend, inputs, outputs, compute) => {
  const backend = anyBackend as WasmBackend;
  const results = outputs.map((shape) => backend.makeOutput(shape, 'float32'));
  const scratch: tf.TensorInfo[] = [];
  const probe = (results[0] ?? inputs[0]) as tf.TensorInfo;
  let buffer: ArrayBufferLike | undefined;
  let views: { readonly floats: Float32Array; readonly integers: Int32Array };
  const refresh = () => {
    // The heap may have grown since, which leaves older views without memory.
    const current = floats(backend, probe).buffer;
    if (current !== buffer) {
      buffer = current;
      views = { floats: new Float32Array(current), integers: new Int32Array(current) };
    }
    return views;
  };
  const memory = { floats: () => refresh().floats, integers: () => refresh().integers };
  const machine: FftMachine = {
    ...(simdKernels(backend) ?? portablePrimitives(memory)),
    ...memory,
    allocate: (bytes) => {
      const tensor: tf.TensorInfo = backend.makeOutput([Math.ceil((bytes + ALIGNMENT) / 4)], 'float32');
      scratch.push(tensor);
      return Math.ceil(memoryOffset(backend, tensor) / ALIGNMENT) * ALIGNMENT;
    },
  };
  try {
    const places = (tensors: readonly tf.TensorInfo[]) => tensors.map((tensor) => memoryOffset(backend, tensor));
    compute(machine, places(inputs), places(results));
  } finally {
    for (const { dataId } of scratch) backend.disposeData(dataId);
  }
  return results;
};

/** Correlations with tables as large as the grid, by fast Fourier transforms: by SIMD, else by plain loops. */
export const gridCorrelationKernels: readonly tf.KernelConfig[] = fftKernels('wasm', runOnWasm);
