import * as tf from '@tensorflow/tfjs-core';
import { floats, type WasmBackend } from '../kernels/wasm/backend.ts';
import { type Dense, tensor } from './reference.ts';

/** The backend as it is on engines without SIMD: its kernels are there, its memory cannot be shared with ours. */
function withoutSimd(): WasmBackend {
  const backend = tf.backend();
  return new Proxy(backend, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key === 'wasm') return {};
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as unknown as WasmBackend;
}

/** The backend in use, as it is and without SIMD. */
export const simdBackends = [
  ['by SIMD', () => tf.backend() as unknown as WasmBackend],
  ['without SIMD', withoutSimd],
] as const;

/** Runs a kernel on a backend and reads its results. */
export function runOn(
  kernel: tf.KernelConfig,
  backend: WasmBackend,
  inputs: Record<string, Dense>,
  attrs: object = {},
) {
  const tensors = Object.fromEntries(Object.entries(inputs).map(([name, dense]) => [name, tensor(dense)]));
  const call = { inputs: tensors, attrs: attrs as tf.NamedAttrMap, backend };
  const results = [kernel.kernelFunc(call)].flat() as tf.TensorInfo[];
  const values = results.map((result) => Float32Array.from(floats(backend, result)));
  for (const { dataId } of results) backend.disposeData(dataId);
  tf.dispose(tensors);
  return values;
}
