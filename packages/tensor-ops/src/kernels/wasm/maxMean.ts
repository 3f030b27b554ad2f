import { MAX_MEAN, MAX_MEAN_GRAD } from '../names.ts';
import { floats, memoryOffset, wasmKernel } from './backend.ts';
import { simdKernels } from './simd.ts';

/** Largest value and mean along the middle axis: x [outer, n, inner] -> [2, outer, inner]. By SIMD, else plain loops. */
export const maxMean = wasmKernel<'x', object>(MAX_MEAN, ({ inputs: { x }, backend }) => {
  const [outer, length, inner] = x.shape as [number, number, number];
  const result = backend.makeOutput([2, outer, inner], 'float32');
  const size = outer * inner;
  const simd = simdKernels(backend);
  if (simd) {
    const max = memoryOffset(backend, result);
    simd.maxMean(memoryOffset(backend, x), max, max + 4 * size, outer, length, inner);
    return result;
  }
  const values = floats(backend, x);
  const y = floats(backend, result);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let max = Number.NEGATIVE_INFINITY;
      let sum = 0;
      for (let j = 0, at = o * length * inner + i; j < length; j++, at += inner) {
        const value = values[at] as number;
        max = Math.max(max, value);
        sum += value;
      }
      y[o * inner + i] = max;
      y[size + o * inner + i] = sum / length;
    }
  }
  return result;
});

/** Its gradient: dy, y [2, outer, inner], x [outer, n, inner] -> dx; that of the maximum to the first place of it. */
export const maxMeanGrad = wasmKernel<'dy' | 'x' | 'y', object>(MAX_MEAN_GRAD, ({ inputs, backend }) => {
  const [outer, length, inner] = inputs.x.shape as [number, number, number];
  const result = backend.makeOutput(inputs.x.shape, 'float32');
  const [dy, x, y, dx] = [inputs.dy, inputs.x, inputs.y, result].map((tensor) => floats(backend, tensor)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const size = outer * inner;
  const open = new Uint8Array(inner);
  for (let o = 0; o < outer; o++) {
    open.fill(1);
    for (let j = 0; j < length; j++) {
      const at = (o * length + j) * inner;
      for (let i = 0; i < inner; i++) {
        const k = o * inner + i;
        let gradient = (dy[size + k] as number) / length;
        if (open[i] === 1 && x[at + i] === y[k]) {
          gradient += dy[k] as number;
          open[i] = 0;
        }
        dx[at + i] = gradient;
      }
    }
  }
  return result;
});
