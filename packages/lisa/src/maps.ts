import { ConfigError, product, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { channelWeights } from './hadamard.ts';
import { kernelizedWeights } from './kernelized.ts';
import { type LisaAttentionOptions, type LisaTables, resolveInputs } from './lisaAttention.ts';
import { normalizeQk } from './qkNorm.ts';
import { structureKernels } from './structure.ts';
import { assertTable, type LisaGrid, type LisaPadding, tableShape } from './tables.ts';

/** Options of {@link lisaMaps}. */
export interface LisaMapOptions extends LisaAttentionOptions {
  /** row-major positions of the Q queries on the grid to compute; the others cost nothing */
  readonly queries: readonly number[];
}

/** What chosen queries attend to. Q queries, N tokens, D patterns. */
export interface LisaMaps {
  /**
   * by what each value is weighed, so that `y_n = sum_m kernel_nm v_m`: K1 of mode `structure` and the normalised weights of
   * `kernelized`, [B, h, Q, N]; of `hadamard` for each channel, [B, Q, N, C]. Entries may be negative.
   */
  readonly kernel: tf.Tensor4D;
  /** mode `structure`: K0 = q . k, [B, h, Q, N] */
  readonly attention?: tf.Tensor4D;
  /** mode `structure`: the structural patterns S, [B, h, Q, D] */
  readonly patterns?: tf.Tensor4D;
}

/**
 * The maps of LiSA for a few queries, from the same projections and tables that `lisaAttention` takes. Not differentiable
 * by purpose: they are for pictures. All N queries give the pattern maps S of the whole grid.
 *
 * @throws ConfigError if a query is not a position of the grid, or there is none; else as `lisaAttention`
 */
export function lisaMaps(q: tf.Tensor3D, k: tf.Tensor3D, tables: LisaTables, options: LisaMapOptions): LisaMaps {
  const { lattice, qkNorm } = resolveInputs(q, { k }, tables, options);
  const { heads, queries } = options;
  assertQueries(queries, product(lattice.grid));
  const [batch, tokens, channels] = q.shape;
  return tf.tidy(() => {
    const chosen = tf.concat(
      queries.map((query) => tf.slice(q, [0, query, 0], [batch, 1, channels])),
      1,
    ) as tf.Tensor3D;
    const [qn, kn] = normalizeQk(splitHeads(chosen, heads), splitHeads(k, heads), qkNorm);
    const spread = { ...lattice, rows: queries };
    switch (tables.mode) {
      case 'structure':
        return { ...structureKernels(qn, kn, tables, spread) };
      case 'kernelized': {
        const weights = kernelizedWeights(qn, kn, tables.r, spread);
        return { kernel: tf.div(weights, tf.sum(weights, -1, true)) as tf.Tensor4D };
      }
      case 'hadamard': {
        // [h*c, Q, N] R[m-n], q_n and k_m of each channel
        const rows = (x: tf.Tensor4D, size: number) =>
          tf.reshape(tf.transpose(x, [0, 1, 3, 2]), [batch, channels, size]);
        const own = tf.reshape(channelWeights(tables.r, spread), [channels, queries.length, tokens]);
        const kernels = tf.unstack(rows(qn, queries.length)).map((rowsOfQ, sample) => {
          const keys = tf.slice(rows(kn, tokens), [sample, 0, 0], [1, channels, tokens]);
          const weighed = tf.mul(own, tf.reshape(rowsOfQ, [channels, queries.length, 1]));
          return tf.transpose(tf.mul(weighed, tf.reshape(keys, [channels, 1, tokens])), [1, 2, 0]);
        });
        return { kernel: tf.stack(kernels) as tf.Tensor4D };
      }
    }
  }) as LisaMaps & tf.TensorContainer;
}

/** Throws a ConfigError unless there are queries, and each is a position of a grid of `tokens`. */
function assertQueries(queries: readonly number[], tokens: number): void {
  if (queries.length === 0) throw new ConfigError('queries', 'at least one position', '0 positions');
  for (const query of queries) {
    if (!Number.isSafeInteger(query) || query < 0 || query >= tokens) {
      throw new ConfigError('queries', `positions of the grid, 0 to ${tokens - 1}`, query);
    }
  }
}

/**
 * A table as pictures, offset 0 in the middle: [...leading, ...offsets] -> the same shape. With zero padding that is how it
 * is stored; a circular one is turned by floor(S/2) along each axis.
 *
 * @throws ShapeError for a table that is not of the grid
 */
export function tablePictures(
  table: tf.Tensor,
  { grid, padding = 'zero' }: { readonly grid: LisaGrid; readonly padding?: LisaPadding },
): tf.Tensor {
  const leading = table.shape.slice(0, Math.max(0, table.rank - grid.length));
  assertTable('table', table, leading, { grid, padding });
  if (padding === 'zero') return tf.clone(table);
  return tf.tidy(() => {
    const sizes = tableShape(grid, padding);
    return sizes.reduce<tf.Tensor>((current, size, axis) => {
      const before = product([...leading, ...sizes.slice(0, axis)]);
      const turned = Array.from({ length: size }, (_, i) => (i + size - Math.floor(size / 2)) % size);
      const rows = tf.reshape(current, [before, size, -1]);
      return tf.reshape(tf.gather(rows, tf.tensor1d(turned, 'int32'), 1), table.shape);
    }, table);
  });
}
