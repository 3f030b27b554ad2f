import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from './backendError.ts';
import { ConfigError } from './errors.ts';
import { denseCorrelator } from './gridCorrelationDense.ts';
import { dftCorrelator } from './gridCorrelationDft.ts';
import type { Correlator } from './gridCorrelationExplicit.ts';
import { kernelLines, matrixLines } from './gridCorrelationLines.ts';
import type { GridCorrelationOptions, GridProblem } from './gridCorrelationProblem.ts';
import { kernelMode, usesKernel } from './kernelMode.ts';
import { registerCpuKernels } from './kernels/cpu/index.ts';
import { FOURIER_LINE_LIMIT, FOURIER_LINES } from './kernels/names.ts';
import { product } from './shape.ts';

/**
 * From so many tokens on, our kernels are faster than the other methods: measured for `structureCorrelation`, forward and
 * backward, on webgpu with a software driver. On wasm it is from 16 tokens on, the least that was tried.
 */
const FFT_LEAST: Readonly<Record<string, number>> = { cpu: 150, webgpu: 100 };

/**
 * Up to so many tokens, products with N x N matrices are faster than transforms by matrices: with 196, they take 0.6 (cpu),
 * 1.9 (webgpu, software driver) and 2.8 (wasm) times as long.
 */
const DENSE_LIMIT = 150;

/**
 * Whether the kernel `name` computes the whole of this call: always for the method `fft`, never for `dense` and `dft`, and
 * for `auto` where the kernel mode allows it, the backend has the kernel and N is large enough for it to pay. Where a
 * backend has a kernel for transforms only, {@link correlatorFor} takes that one.
 *
 * @throws BackendError for `fft` where there is neither kernel
 */
export function usesFft(
  name: string,
  { grid }: GridProblem,
  { method = 'auto' }: GridCorrelationOptions,
  inputs: readonly tf.Tensor[],
): boolean {
  if (method === 'dense' || method === 'dft') return false;
  // Here, so that those who correlate nothing do not carry them.
  registerCpuKernels();
  const backend = tf.getBackend();
  if (tf.getKernel(FOURIER_LINES, backend) !== undefined) return false;
  const other = inputs.find(({ dtype }) => dtype !== 'float32');
  const refusal = other && `float32, not ${other.dtype}`;
  if (method === 'auto') {
    return fftPays(grid) && usesKernel(name, refusal);
  }
  if (refusal !== undefined) throw new ConfigError('method', `dense or dft here (${name} takes ${refusal})`, method);
  if (tf.getKernel(name, backend) !== undefined) return true;
  const remedy = "import '@saccade/tensor-ops/wasm' or '/webgpu', or take another method";
  throw new BackendError(backend, `the method 'fft' needs the kernel ${name}: ${remedy}`);
}

/**
 * The way to correlate step by step; makes constant tensors: call it in a tidy.
 *
 * @throws ConfigError for `fft` on a grid that the kernel for transforms does not take; as usesKernel
 */
export function correlatorFor(problem: GridProblem, { method = 'auto' }: GridCorrelationOptions): Correlator {
  if (method === 'dense') return denseCorrelator(problem);
  if (method === 'dft') return dftCorrelator(problem, matrixLines);
  const refusal = linesRefusal(problem);
  if (method === 'fft') {
    if (refusal === undefined) return dftCorrelator(problem, kernelLines);
    throw new ConfigError('method', `dense or dft here (${FOURIER_LINES} takes ${refusal})`, method);
  }
  if (fftPays(problem.grid) && usesKernel(FOURIER_LINES, refusal)) return dftCorrelator(problem, kernelLines);
  return product(problem.grid) <= DENSE_LIMIT ? denseCorrelator(problem) : dftCorrelator(problem, matrixLines);
}

/** Whether `auto` is to look for a kernel: where it is faster, or must be used. */
function fftPays(grid: readonly number[]): boolean {
  return kernelMode() === 'fused' || product(grid) >= (FFT_LEAST[tf.getBackend()] ?? 0);
}

/** Why the kernel for transforms cannot take this grid; `undefined` if it can. */
function linesRefusal({ grid, padding, offsets }: GridProblem): string | undefined {
  if (padding === 'circular' && grid.some((size) => !Number.isInteger(Math.log2(size)))) {
    return `closed axes whose length is a power of two, not ${grid.join(' x ')}`;
  }
  const longest = Math.max(...offsets);
  return longest > FOURIER_LINE_LIMIT
    ? `transforms of up to ${FOURIER_LINE_LIMIT} positions, not ${longest}`
    : undefined;
}
