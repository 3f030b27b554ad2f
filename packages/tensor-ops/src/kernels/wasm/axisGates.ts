import type * as tf from '@tensorflow/tfjs-core';
import { AXIS_GATES, AXIS_GATES_GRAD } from '../names.ts';
import { floats, memoryOffset, type WasmBackend, wasmKernel } from './backend.ts';
import { simdKernels } from './simd.ts';

type Shape5 = [number, number, number, number, number];
type Input = 'x' | 'time' | 'height' | 'width';

/** `x * (time + height + width) / 3`; x [B, T, H, W, C], gates without T, H and W in turn. By SIMD, else plain loops. */
export const axisGates = wasmKernel<Input, object>(AXIS_GATES, ({ inputs, backend }) => {
  const { x, time, height, width } = inputs;
  const result = backend.makeOutput(x.shape, 'float32');
  const simd = simdKernels(backend);
  if (simd) {
    const pointers = [x, time, height, width, result].map((tensor) => memoryOffset(backend, tensor));
    simd.axisGates(...(pointers as [number, number, number, number, number]), ...x.shape);
    return result;
  }
  const [values, t, h, w, y] = views(backend, [x, time, height, width, result]);
  visit(x.shape as Shape5, (at, atTime, atHeight, atWidth) => {
    y[at] = ((values[at] as number) / 3) * ((t[atTime] as number) + (h[atHeight] as number) + (w[atWidth] as number));
  });
  return result;
});

/** Its gradients: dx, dTime, dHeight, dWidth, in one pass. */
export const axisGatesGrad: tf.KernelConfig = {
  kernelName: AXIS_GATES_GRAD,
  backendName: 'wasm',
  kernelFunc: ({ inputs: untyped, backend: anyBackend }) => {
    const backend = anyBackend as WasmBackend;
    const { dy, x, time, height, width } = untyped as unknown as Record<Input | 'dy', tf.TensorInfo>;
    const inputs = [x, time, height, width];
    const results = inputs.map(({ shape }) => backend.makeOutput(shape, 'float32'));
    for (const gate of results.slice(1)) floats(backend, gate).fill(0);
    const simd = simdKernels(backend);
    if (simd) {
      const pointers = [dy, ...inputs, ...results].map((tensor) => memoryOffset(backend, tensor));
      simd.axisGatesGrad(...pointers, ...x.shape);
      return results;
    }
    const [gradient, values, t, h, w] = views(backend, [dy, ...inputs]);
    const [dx, dT, dH, dW] = views(backend, results);
    visit(x.shape as Shape5, (at, atTime, atHeight, atWidth) => {
      const g = (gradient[at] as number) / 3;
      dx[at] = g * ((t[atTime] as number) + (h[atHeight] as number) + (w[atWidth] as number));
      const dGate = g * (values[at] as number);
      (dT[atTime] as number) += dGate;
      (dH[atHeight] as number) += dGate;
      (dW[atWidth] as number) += dGate;
    });
    return results;
  },
};

type Views = [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];

function views(backend: WasmBackend, tensors: readonly tf.TensorInfo[]): Views {
  return tensors.map((tensor) => floats(backend, tensor)) as Views;
}

/** Visits every value of a clip with the places of its three gates. */
function visit(
  [batch, frames, rows, columns, channels]: Shape5,
  each: (at: number, atTime: number, atHeight: number, atWidth: number) => void,
): void {
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < frames; t++) {
      for (let h = 0; h < rows; h++) {
        for (let w = 0; w < columns; w++) {
          const atTime = ((b * rows + h) * columns + w) * channels;
          const atHeight = ((b * frames + t) * columns + w) * channels;
          const atWidth = ((b * frames + t) * rows + h) * channels;
          for (let c = 0; c < channels; c++) each(at++, atTime + c, atHeight + c, atWidth + c);
        }
      }
    }
  }
}
