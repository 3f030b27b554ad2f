import { type Cost, linearCost } from '@saccade/nn';
import { product } from '@saccade/tensor-ops';
import type { LisaCompute } from './compute.ts';
import type { LisaMode } from './lisaAttention.ts';
import { type LisaGrid, type LisaPadding, tableShape } from './tables.ts';

/** The sizes on which the cost of a LiSA layer depends. */
export interface LisaCostOptions {
  readonly dim: number;
  readonly heads: number;
  /** of the tokens */
  readonly grid: LisaGrid;
  /** for which the tables are; default: `grid` */
  readonly weightsGrid?: LisaGrid;
  /** default `structure` */
  readonly mode?: LisaMode;
  /** default `zero` */
  readonly padding?: LisaPadding;
  /** D; default 8 */
  readonly patterns?: number;
  /** bias of the qkv projection; default true */
  readonly qkvBias?: boolean;
  /**
   * default `auto`: that of `dense` and `fft` with fewer multiply-accumulates, so that a cost does not depend on a backend;
   * what a layer takes does, see {@link LisaCompute}
   */
  readonly compute?: LisaCompute;
}

/**
 * Cost of one LiSA layer for one sample (specification section 7), with the L_i = 2S_i (zero) or S_i (circular) of each
 * axis, Lp = prod L_i:
 *
 * ```
 * params      4C^2 + 4C + tables: 2hD prod(2S-1) | h prod(2S-1) | C prod(2S-1), or prod(S) where circular
 * MACs        4NC^2 + those of the method; mode `structure`, with T = 2C(1+D) + 2hD transforms:
 *   dense     2N^2 C + 2hD N^2
 *   fft       1.25 T Lp log2(Lp) + 3DC Lp + 2DCN
 *   dft       T times one matrix product an axis, real first, complex then; 4 for each product of spectra; 2DCN
 * ```
 *
 * Activations: q, k, v, the result, and what the method needs: maps of [h, N, N] and tables spread over pairs (dense), or the
 * spectra of keys and values (dft, fft; patterns are visited one after the other), in mode `kernelized` the maps phi(k) v^T.
 */
export function lisaSelfAttentionCost(options: LisaCostOptions): Cost {
  const { dim, heads, grid, weightsGrid = grid, padding = 'zero', qkvBias = true } = options;
  const { compute = 'auto' } = options;
  const tokens = product(grid);
  const projections = [linearCost(tokens, dim, 3 * dim, qkvBias), linearCost(tokens, dim, dim)] as const;
  const problem = { ...workOf(options), dim, heads, grid, padding };
  const methods = compute === 'auto' ? (['dense', 'fft'] as const) : [compute];
  const costs = methods.map((method) => methodCost(method, problem)).sort((a, b) => a.macs - b.macs);
  const [{ macs, values }] = costs as [MethodCost];
  return {
    params: projections[0].params + projections[1].params + problem.tables * product(tableShape(weightsGrid, padding)),
    macs: projections[0].macs + projections[1].macs + Math.round(macs),
    activationBytes: 4 * (4 * tokens * dim + values),
  };
}

/** What a mode asks of the method. */
interface Work {
  /** tables, each of all offsets */
  readonly tables: number;
  /** maps [N] that are transformed, forth or back */
  readonly transforms: number;
  /** products of a spectrum of a table with one of a map */
  readonly products: number;
  /** maps [N] that exist beside q, k, v, the result and spectra */
  readonly maps: number;
  /** multiply-accumulates outside of correlations, for each token */
  readonly perToken: number;
  /** the same where all pairs are visited: for each pair */
  readonly perPair: number;
}

function workOf({ mode = 'structure', dim, heads, patterns = 8 }: LisaCostOptions): Work {
  switch (mode) {
    case 'structure': {
      const tables = 2 * heads * patterns;
      const products = 2 * dim * patterns;
      const counted = { tables, transforms: 2 * dim + products, products, maps: 0 };
      return { ...counted, perToken: products, perPair: 2 * dim + tables };
    }
    case 'kernelized': {
      // phi(k) v^T with the column of ones is c x (c+1) maps for each head.
      const maps = dim * (dim / heads + 1);
      const counted = { tables: heads, transforms: 2 * maps, products: maps, maps: 2 * maps };
      return { ...counted, perToken: 2 * maps, perPair: 2 * dim + heads };
    }
    case 'hadamard':
      return { tables: dim, transforms: 2 * dim, products: dim, maps: dim, perToken: 2 * dim, perPair: dim };
  }
}

interface Problem extends Work {
  readonly dim: number;
  readonly heads: number;
  readonly grid: LisaGrid;
  readonly padding: LisaPadding;
}

interface MethodCost {
  readonly macs: number;
  /** numbers that exist beside q, k, v and the result */
  readonly values: number;
}

function methodCost(method: Exclude<LisaCompute, 'auto'>, problem: Problem): MethodCost {
  const { dim, heads, grid, padding, tables, transforms, products, maps, perToken, perPair } = problem;
  const tokens = product(grid);
  if (method === 'dense') return { macs: perPair * tokens ** 2, values: (2 * heads + tables) * tokens ** 2 };
  const lengths = grid.map((size) => (padding === 'zero' ? 2 * size : size));
  const all = product(lengths);
  const count = transforms + tables;
  const values = maps * tokens + 4 * dim * all;
  if (method === 'dft') {
    return { macs: count * dftMacs(grid, lengths) + 4 * products * halfSpectrum(lengths) + perToken * tokens, values };
  }
  return { macs: 1.25 * count * all * Math.log2(all) + 1.5 * products * all + perToken * tokens, values };
}

/** Frequencies of a real transform that are not conjugates of others. */
function halfSpectrum(lengths: readonly number[]): number {
  return product(lengths.slice(0, -1)) * (Math.floor((lengths.at(-1) as number) / 2) + 1);
}

/** One transform by a product an axis: the last is real, 2 for each pair of a position and a frequency, the others 4. */
function dftMacs(grid: LisaGrid, lengths: readonly number[]): number {
  let frequencies = Math.floor((lengths.at(-1) as number) / 2) + 1;
  let macs = 2 * product(grid) * frequencies;
  for (let axis = grid.length - 2; axis >= 0; axis--) {
    macs += 4 * product(grid.slice(0, axis + 1)) * frequencies * (lengths[axis] as number);
    frequencies *= lengths[axis] as number;
  }
  return macs;
}
