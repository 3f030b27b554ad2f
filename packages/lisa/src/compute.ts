import { ConfigError, product } from '@saccade/tensor-ops';
import type { LisaMode } from './lisaAttention.ts';
import type { LisaGrid } from './tables.ts';

/**
 * How the operator is computed; all give the same values up to rounding. `dense`: all pairs of tokens at once, O(N^2).
 * `dft`, `fft`: as correlations in the frequency domain, see `gridCorrelation` of `@saccade/tensor-ops`. `auto`: dense on
 * small grids, else what suits the backend.
 */
export type LisaCompute = 'auto' | 'dense' | 'dft' | 'fft';

/** Up to so many tokens all pairs at once are faster, as measured on wasm; see the README. */
const DENSE_LIMIT: Readonly<Record<LisaMode, number>> = { structure: 500, kernelized: 2000, hadamard: 200 };

/** What `auto` is for a grid: `dense`, or `auto` of the correlations. */
export function resolveCompute(compute: LisaCompute, mode: LisaMode, grid: LisaGrid): LisaCompute {
  return compute === 'auto' && product(grid) <= DENSE_LIMIT[mode] ? 'dense' : compute;
}

/** Throws a ConfigError for a way to compute that does not exist. */
export function assertCompute(compute: LisaCompute): void {
  if (!['auto', 'dense', 'dft', 'fft'].includes(compute)) {
    throw new ConfigError('compute', '"auto", "dense", "dft" or "fft"', compute);
  }
}
