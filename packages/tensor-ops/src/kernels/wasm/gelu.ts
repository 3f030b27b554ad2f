import { GELU, GELU_GRAD } from '../names.ts';
import { floats, memoryOffset, wasmKernel } from './backend.ts';
import { simdKernels } from './simd.ts';

// tfjs composes GELU of five passes, of which the one for erf is not vectorised. By SIMD, else plain loops.

/** y = x Phi(x), with Phi the standard normal distribution function. */
export const gelu = wasmKernel<'x', object>(GELU, ({ inputs: { x }, backend }) => {
  const y = backend.makeOutput(x.shape, 'float32');
  const values = floats(backend, x);
  const simd = simdKernels(backend);
  if (simd) {
    simd.gelu(memoryOffset(backend, x), memoryOffset(backend, y), values.length);
    return y;
  }
  const to = floats(backend, y);
  for (let i = 0; i < values.length; i++) to[i] = (values[i] as number) * normalCdf(values[i] as number);
  return y;
});

/** dx = dy (Phi(x) + x phi(x)), with phi the standard normal density. */
export const geluGrad = wasmKernel<'dy' | 'x', object>(GELU_GRAD, ({ inputs: { dy, x }, backend }) => {
  const dx = backend.makeOutput(x.shape, 'float32');
  const values = floats(backend, x);
  const simd = simdKernels(backend);
  if (simd) {
    const [from, at, to] = [dy, x, dx].map((tensor) => memoryOffset(backend, tensor)) as [number, number, number];
    simd.geluGrad(from, at, to, values.length);
    return dx;
  }
  const [from, to] = [floats(backend, dy), floats(backend, dx)];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const density = Math.exp(-(value ** 2) / 2) / Math.sqrt(2 * Math.PI);
    to[i] = (from[i] as number) * (normalCdf(value) + value * density);
  }
  return dx;
});

/** The formula of the SIMD kernel (assembly/activations.ts): Abramowitz and Stegun, 7.1.26. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x) * Math.SQRT1_2);
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (sum * Math.exp(-(x ** 2) / 2)) / 2;
  return x < 0 ? tail : 1 - tail;
}
