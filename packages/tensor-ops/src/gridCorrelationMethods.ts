import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from './backendError.ts';
import { denseCorrelator } from './gridCorrelationDense.ts';
import { dftCorrelator } from './gridCorrelationDft.ts';
import type { Correlator } from './gridCorrelationExplicit.ts';
import type { GridCorrelationOptions, GridProblem } from './gridCorrelationProblem.ts';
import { kernelMode, usesKernel } from './kernelMode.ts';
import { product } from './shape.ts';

/**
 * From so many tokens on, the kernel is faster than the other methods: measured for `structureCorrelation` with heads of 32
 * channels, forward and backward. On wasm it is from 16 tokens on, the least that was tried.
 */
const FFT_LEAST: Readonly<Record<string, number>> = { cpu: 150 };

/**
 * Where there is no kernel: up to so many tokens, products with N x N matrices take fewer operations than transforms by
 * matrices, and little memory. Counted, not measured on a GPU.
 */
const DENSE_LIMIT = 500;

/**
 * Whether the kernel `name` computes this call: always for the method `fft`, never for `dense` and `dft`, and for `auto`
 * where the kernel mode allows it, the backend has the kernel and N is large enough for it to pay.
 *
 * @throws BackendError for `fft` where there is no such kernel; as usesKernel
 */
export function usesFft(
  name: string,
  { grid }: GridProblem,
  { method = 'auto' }: GridCorrelationOptions,
  inputs: readonly tf.Tensor[],
): boolean {
  const other = inputs.find(({ dtype }) => dtype !== 'float32');
  const refusal = other && `float32, not ${other.dtype}`;
  if (method === 'fft') {
    const backend = tf.getBackend();
    if (tf.getKernel(name, backend) !== undefined && refusal === undefined) return true;
    throw new BackendError(backend, `the method 'fft' needs the kernel ${name}, which ${refusal ? `takes ${refusal}` : 'is not registered: see the entries /wasm and /webgpu of @saccade/tensor-ops, or take another method'}`); // biome-ignore format: one sentence
  }
  if (method !== 'auto') return false;
  if (kernelMode() === 'auto' && product(grid) < (FFT_LEAST[tf.getBackend()] ?? 0)) return false;
  return usesKernel(name, refusal);
}

/** The way to correlate by tfjs' operations; makes constant tensors: call it in a tidy. */
export function correlatorFor(problem: GridProblem, { method = 'auto' }: GridCorrelationOptions): Correlator {
  const dense = method === 'dense' || (method === 'auto' && product(problem.grid) <= DENSE_LIMIT);
  return dense ? denseCorrelator(problem) : dftCorrelator(problem);
}
