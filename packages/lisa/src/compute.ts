import { ConfigError, hasFftCorrelation, kernelMode, product } from '@saccade/tensor-ops';
import type { LisaMode } from './lisaAttention.ts';
import type { LisaGrid } from './tables.ts';

/**
 * How the operator is computed; all give the same values up to rounding.
 *
 * | | how | time |
 * |---|---|---|
 * | `dense` | all pairs of tokens at once, as the formulas say | N^2 |
 * | `dft` | correlations by Fourier transforms that are products with matrices, on every backend | N^(1 + 1/a) on a axes |
 * | `fft` | correlations by a kernel with fast Fourier transforms, see `gridCorrelation` of `@saccade/tensor-ops` | N log N |
 * | `auto` | what is fastest for the grid on the backend in use, as measured | |
 */
export type LisaCompute = 'auto' | 'dense' | 'dft' | 'fft';

/**
 * Up to so many tokens all pairs at once are faster than the kernel for the whole correlation, or where the backend has none
 * (webgpu) than correlating step by step, forward and backward, as measured on wasm. The maps of mode `kernelized` make
 * transforms dear.
 */
const DENSE_LIMITS: Readonly<Record<'kernel' | 'steps', Readonly<Record<LisaMode, number>>>> = {
  kernel: { structure: 0, kernelized: 200, hadamard: 0 },
  steps: { structure: 200, kernelized: 2000, hadamard: 50 },
};

/** What `auto` stands for on a grid: all pairs, or the correlations, which choose among their own methods. */
export function resolveCompute(compute: LisaCompute, mode: LisaMode, grid: LisaGrid): LisaCompute {
  if (compute !== 'auto' || kernelMode() === 'fused') return compute;
  return product(grid) <= DENSE_LIMITS[hasFftCorrelation() ? 'kernel' : 'steps'][mode] ? 'dense' : 'auto';
}

/** Throws a ConfigError for a way to compute that does not exist. */
export function assertCompute(compute: LisaCompute): void {
  if (!['auto', 'dense', 'dft', 'fft'].includes(compute)) {
    throw new ConfigError('compute', '"auto", "dense", "dft" or "fft"', compute);
  }
}
