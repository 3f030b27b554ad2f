import { assertHeads } from '@saccade/nn';
import {
  assertShape,
  ConfigError,
  formatShape,
  gridCorrelationPerChannel,
  mergeHeads,
  splitHeads,
  structureCorrelation,
} from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { assertCompute, type LisaCompute, resolveCompute } from './compute.ts';
import { denseChannelCorrelation } from './hadamard.ts';
import { correlatedKernelized, denseKernelized, divided, type KernelizedSums } from './kernelized.ts';
import { normalizeQk, type QkNorm, resolveQkNorm } from './qkNorm.ts';
import { denseStructure } from './structure.ts';
import {
  assertLisaGrid,
  assertPadding,
  assertTable,
  type LisaGrid,
  type LisaPadding,
  type SpreadOptions,
} from './tables.ts';

/** The three forms of the operator; see {@link lisaAttention}. */
export type LisaMode = 'structure' | 'kernelized' | 'hadamard';

/** The relative position embeddings of one layer, by mode. */
export type LisaTables =
  | {
      readonly mode: 'structure';
      /** P [h, D, ...offsets]: weighs the attention kernel when patterns are read from it */
      readonly p: tf.Tensor;
      /** U [h, D, ...offsets]: what each pattern adds to the structure-aware kernel */
      readonly u: tf.Tensor;
    }
  | {
      readonly mode: 'kernelized';
      /** R [h, ...offsets], positive */
      readonly r: tf.Tensor;
    }
  | {
      readonly mode: 'hadamard';
      /** R [h, C/h, ...offsets] */
      readonly r: tf.Tensor;
    };

/** Options of {@link lisaAttention}. */
export interface LisaAttentionOptions {
  /** where the N tokens lie: [S], [H, W] or [T, H, W] */
  readonly grid: LisaGrid;
  /** must divide C */
  readonly heads: number;
  /** default `zero` */
  readonly padding?: LisaPadding;
  /** default `l2` in mode `structure`, else `none` */
  readonly qkNorm?: QkNorm;
  /** default `auto` */
  readonly compute?: LisaCompute;
}

/**
 * Lightweight structure-aware attention (LiSA) between projections, without softmax: tables of relative positions are
 * multiplicative weights. m - n is the offset of key m from query n, (.) the product channel by channel.
 *
 * ```
 * structure    K0[n,m] = q_n . k_m                      the attention kernel
 *              S[n,d]  = sum_m K0[n,m] P_d[m-n]         D structural patterns
 *              K1[n,m] = sum_d S[n,d] U_d[m-n]          the structure-aware kernel
 *              y_n     = sum_m K1[n,m] v_m
 * kernelized   y_n = sum_m phi(q_n).phi(k_m) R[m-n] v_m / sum_m phi(q_n).phi(k_m) R[m-n],   phi(t) = elu(t) + 1
 * hadamard     y_n = q_n (.) sum_m R[m-n] (.) (k_m (.) v_m)
 * ```
 *
 * Shapes: B batch, N tokens = product of the grid, C channels, h heads. `q`, `k`, `v` [B, N, C] -> [B, N, C], differentiable
 * in all inputs and tables. The tables are those that act: what {@link LisaSelfAttention} stores plus its identity path.
 *
 * Source: a reconstruction from the abstract of arXiv 2211.16289 (sets of relative position embeddings as multiplicative
 * weights, structural patterns, log-linear cost); the equations are not verified against the paper.
 *
 * @throws ConfigError for heads, modes and options that cannot be; ShapeError if tokens, tables and grid do not match
 */
export function lisaAttention(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  tables: LisaTables,
  options: LisaAttentionOptions,
): tf.Tensor3D {
  const { lattice, qkNorm, method } = resolveInputs(q, { k, v }, tables, options);
  return tf.tidy(() => {
    const [queries, keys, values] = [q, k, v].map((x) => splitHeads(x, options.heads)) as Heads;
    const [qn, kn] = normalizeQk(queries, keys, qkNorm);
    return mergeHeads(attend([qn, kn, values], tables, { ...lattice, method }));
  });
}

type Heads = [q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D];

/** The operator on normalised heads [B, h, N, c]. */
function attend(
  [q, k, v]: Heads,
  tables: LisaTables,
  how: SpreadOptions & { readonly method: LisaCompute },
): tf.Tensor4D {
  const dense = how.method === 'dense';
  switch (tables.mode) {
    case 'structure':
      return dense ? denseStructure(q, k, v, tables, how) : structureCorrelation(q, k, v, tables.p, tables.u, how);
    case 'kernelized':
      return divided(kernelized([q, k, v], tables.r, how));
    case 'hadamard': {
      const correlate = dense ? denseChannelCorrelation : gridCorrelationPerChannel;
      return tf.mul(q, correlate(tf.mul(k, v), tables.r, how));
    }
  }
}

function kernelized(
  [q, k, v]: Heads,
  r: tf.Tensor,
  how: SpreadOptions & { readonly method: LisaCompute },
): KernelizedSums {
  return how.method === 'dense' ? denseKernelized(q, k, v, r, how) : correlatedKernelized(q, k, v, r, how);
}

/**
 * Numerator [B, h, N, C/h] and denominator [B, h, N, 1] of mode `kernelized`, whose quotient {@link lisaAttention} gives.
 *
 * @throws as {@link lisaAttention}
 */
export function kernelizedSums(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  r: tf.Tensor,
  options: LisaAttentionOptions,
): KernelizedSums {
  const { lattice, qkNorm, method } = resolveInputs(q, { k, v }, { mode: 'kernelized', r }, options);
  return tf.tidy(() => {
    const [queries, keys, values] = [q, k, v].map((x) => splitHeads(x, options.heads)) as Heads;
    const [qn, kn] = normalizeQk(queries, keys, qkNorm);
    return { ...kernelized([qn, kn, values], r, { ...lattice, method }) };
  });
}

/** Fills in defaults; throws unless tokens, tables, grid and heads belong together. */
export function resolveInputs(
  q: tf.Tensor3D,
  others: Readonly<Record<string, tf.Tensor3D>>,
  tables: LisaTables,
  { grid, heads, padding = 'zero', qkNorm, compute = 'auto' }: LisaAttentionOptions,
) {
  assertShape('q', q, ['B', 'N', 'C']);
  for (const [argument, tensor] of Object.entries(others)) {
    assertShape(argument, tensor, q.shape, `q is ${formatShape(q.shape)}.`);
  }
  assertLisaGrid(q.shape[1], grid);
  assertHeads(q.shape[2], heads);
  assertMode(tables.mode);
  assertPadding(padding);
  assertCompute(compute);
  const lattice = { grid, padding };
  const headDim = q.shape[2] / heads;
  switch (tables.mode) {
    case 'structure':
      assertTable('p', tables.p, [heads, 'D'], lattice);
      assertTable('u', tables.u, [heads, tables.p.shape[1] as number], lattice);
      break;
    case 'kernelized':
      assertTable('r', tables.r, [heads], lattice);
      break;
    case 'hadamard':
      assertTable('r', tables.r, [heads, headDim], lattice);
      break;
  }
  const method = resolveCompute(compute, tables.mode, grid);
  return { lattice, qkNorm: resolveQkNorm(tables.mode, qkNorm), method };
}

/** Throws a ConfigError for a mode that does not exist. */
export function assertMode(mode: LisaMode): void {
  if (mode !== 'structure' && mode !== 'kernelized' && mode !== 'hadamard') {
    throw new ConfigError('mode', '"structure", "kernelized" or "hadamard"', mode);
  }
}
