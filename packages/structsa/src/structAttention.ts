import { assertGrid, assertHeads, type Grid } from '@saccade/nn';
import {
  attention,
  ConfigError,
  depthwiseConv2d,
  depthwiseConv3d,
  formatShape,
  mergeHeads,
  product,
  ShapeError,
  splitHeads,
} from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Filters of the structure detectors or aggregators: [kh, kw, C, D] on images, [kt, kh, kw, C, D] on clips. */
export type StructFilter = tf.Tensor4D | tf.Tensor5D;

/** Options of {@link structAttention}. */
export interface StructAttentionOptions {
  /** where the N tokens lie: [H, W] or [T, H, W] */
  readonly grid: Grid;
  /** must divide C */
  readonly heads: number;
  /** spatial stride of keys and values; default 1. Time is never strided. */
  readonly stride?: number;
  /** default `(C/h)^-0.5` */
  readonly scale?: number;
}

/**
 * Structural self-attention (StructSA) between projections: multi-head attention of N queries over D * L keys and
 * values that are depthwise convolutions of the projected keys and values.
 *
 * ```
 * K'_d = dwconv(k, convK[..., d])      V'_d = dwconv(v, convV[..., d])        on the grid, stride s, zero padding
 * A_i  = softmax over (j, d) of scale * q_i . K'_{j,d}                        one softmax over L*D entries, per head
 * y_i  = sum_{j,d} A_{i,j,d} V'_{j,d}
 * ```
 *
 * Shapes: B batch, N tokens = product of the grid, C channels, h heads, D detectors, L = N at stride 1, else the tokens
 * of the strided grid. `q`, `k`, `v` [B, N, C]; `convK`, `convV` [...kernel, C, D] with odd kernels of their own sizes;
 * [...kernel, 1, D] shares one filter per d among all channels and heads (the paper's simplified forms).
 * Result [B, N, C]. D = 1 is ConvSA; a 1x1 `convV` is element aggregation.
 *
 * The D sets are streamed: no N x N x D tensor exists, forward or backward; K' and V' take O(N C D).
 * Source: Kim et al., CVPR 2024, arXiv 2404.03924, equations (11)-(17) in the order of (15); the scale, the zero padding
 * and the softmax per head are inferred from UniFormer.
 *
 * @throws ConfigError for heads, kernels, strides or D that cannot be; ShapeError if shapes or the grid do not match
 */
export function structAttention(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  convK: StructFilter,
  convV: StructFilter,
  options: StructAttentionOptions,
): tf.Tensor3D {
  const { grid, heads, stride = 1, scale } = options;
  assertInputs(q, { k, v }, { convK, convV }, options);
  return tf.tidy(() => {
    const keys = structureSets(k, convK, grid, stride).map((set) => splitHeads(set, heads));
    const values = structureSets(v, convV, grid, stride).map((set) => splitHeads(set, heads));
    return mergeHeads(attention(splitHeads(q, heads), keys, values, scale === undefined ? {} : { scale }));
  });
}

/**
 * The D sets of structural keys (or values): `x` [B, N, C] convolved on its grid with each of the D filters.
 *
 * @returns D tensors [B, L, C]
 */
export function structureSets(x: tf.Tensor3D, filter: StructFilter, grid: Grid, stride = 1): tf.Tensor3D[] {
  const [batch, , channels] = x.shape;
  return tf.tidy(() => {
    const map = tf.reshape(x, [batch, ...grid, channels]);
    return detectorFilters(filter, channels).map((detector) => {
      const y =
        grid.length === 3
          ? depthwiseConv3d(map as tf.Tensor5D, detector as tf.Tensor5D, stride)
          : depthwiseConv2d(map as tf.Tensor4D, detector as tf.Tensor4D, stride);
      return tf.reshape(y, [batch, -1, channels]) as tf.Tensor3D;
    });
  });
}

/** Cuts [...kernel, C or 1, D] into D filters [...kernel, C, 1]; a shared filter is repeated for every channel. */
function detectorFilters(filter: StructFilter, channels: number): StructFilter[] {
  const kernel = filter.shape.slice(0, -2);
  const [own, detectors] = filter.shape.slice(-2) as [number, number];
  const taps = product(kernel);
  // Rank 3 for the cuts: webgpu's slice is wrong at rank 5.
  return tf.split(tf.reshape(filter, [taps, own, detectors]), detectors, 2).map((part) => {
    const full = own === channels ? part : tf.tile(part, [1, channels, 1]);
    return tf.reshape(full, [...kernel, channels, 1] as StructFilter['shape']) as StructFilter;
  });
}

/** Throws unless tokens, filters, grid and heads belong together; kernels and stride are checked by the convolutions. */
export function assertInputs(
  q: tf.Tensor3D,
  others: Readonly<Record<string, tf.Tensor3D>>,
  filters: { readonly convK: StructFilter; readonly convV: StructFilter },
  { grid, heads }: Pick<StructAttentionOptions, 'grid' | 'heads'>,
): void {
  const [, tokens, channels] = q.shape;
  if (q.rank !== 3) throw new ShapeError({ argument: 'q', expected: 'shape [B,N,C]', actual: formatShape(q.shape) });
  for (const [argument, tensor] of Object.entries(others)) {
    if (formatShape(tensor.shape) !== formatShape(q.shape)) {
      const expected = `the shape of q, ${formatShape(q.shape)}`;
      throw new ShapeError({ argument, expected, actual: formatShape(tensor.shape) });
    }
  }
  assertGrid(tokens, grid);
  assertHeads(channels, heads);
  for (const [argument, filter] of Object.entries(filters)) {
    const [own, detectors] = filter.shape.slice(-2);
    if (filter.rank !== grid.length + 2 || (own !== channels && own !== 1) || detectors === 0) {
      throw new ShapeError({
        argument,
        expected: `shape [${grid.length === 3 ? 'kt,' : ''}kh,kw,${channels} or 1,D >= 1] on a grid of ${grid.length} axes`,
        actual: formatShape(filter.shape),
      });
    }
  }
  const [detectorsK, detectorsV] = [filters.convK.shape.at(-1), filters.convV.shape.at(-1)];
  if (detectorsK !== detectorsV) {
    throw new ConfigError('convV', `as many detectors as convK, D = ${detectorsK}`, detectorsV);
  }
}
