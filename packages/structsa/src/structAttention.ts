import { assertGrid, assertHeads, type Grid, gridTokens, stridedGrid } from '@saccade/nn';
import {
  assertInteger,
  assertTokenFilter,
  attention,
  ConfigError,
  depthwiseSets,
  depthwiseTokens,
  depthwiseTokensBatch,
  formatShape,
  mergeHeads,
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
  /** P, tokens before those of the grid that have no place on it, such as a class token; default 0 */
  readonly prefixTokens?: number;
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
 * With P prefix tokens `q`, `k`, `v` and the result are [B, P + N, C]: they are queries like the others, and each is one key
 * and one value more, not convolved, in the same softmax over L*D + P entries (inferred: the paper does not say what becomes
 * of DeiT's class token; the costs of the specification's section 2.2 are those of this form).
 *
 * No N x L x D tensor exists, forward or backward; K' and V' take O(L C D). On webgpu with the fused kernels of
 * `@saccade/tensor-ops/webgpu` (`setKernelMode`) they are computed as one set of D*L keys and values, and no map of N x L
 * exists either; elsewhere the D sets are streamed, one map of N x L at a time.
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
  return attendInParts(q, k, v, convK, convV, options);
}

/**
 * {@link structAttention}, with `limit` in place of the GPU device's: the most bytes that K' or V' may have at once. Where
 * the kernels are to be used, the D sets of a sample are one set of D*L keys (the softmax is joint anyway), and a batch
 * that is too large for one binding goes in parts. Elsewhere the sets are streamed.
 */
export function attendInParts(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  convK: StructFilter,
  convV: StructFilter,
  options: StructAttentionOptions,
  limit?: number,
): tf.Tensor3D {
  assertInputs(q, { k, v }, { convK, convV }, options);
  const { grid, heads, stride, scale, prefixTokens = 0 } = options;
  const attend = (q: tf.Tensor3D, keys: readonly tf.Tensor4D[], values: readonly tf.Tensor4D[]) =>
    mergeHeads(attention(splitHeads(q, heads), keys, values, scale === undefined ? {} : { scale }));
  return tf.tidy(() => {
    const cut = (x: tf.Tensor3D) => cutPrefix(x, prefixTokens, heads);
    const own = cut(k);
    const most = depthwiseTokensBatch(own.tokens, convK, options, limit);
    const entries = gridTokens(stridedGrid(grid, stride ?? 1)) * (convK.shape.at(-1) as number);
    const samples = Math.floor((most * entries) / (entries + prefixTokens));
    if (samples === 0) {
      const sets = ({ prefix, tokens }: CutTokens, filter: StructFilter) => [
        ...prefix,
        ...depthwiseSets(tokens, filter, grid, stride).map((set) => splitHeads(set, heads)),
      ];
      return attend(q, sets(own, convK), sets(cut(v), convV));
    }
    const set = ({ prefix, tokens }: CutTokens, filter: StructFilter) => {
      const convolved = depthwiseTokens(tokens, filter, options);
      return [prefix.length === 0 ? convolved : (tf.concat([...prefix, convolved], 2) as tf.Tensor4D)];
    };
    const joint = (q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D) => attend(q, set(cut(k), convK), set(cut(v), convV));
    if (samples >= q.shape[0]) return joint(q, k, v);
    const sizes = partsOf(q.shape[0], samples);
    const [queries, keys, values] = [q, k, v].map((x) => tf.split(x, sizes)) as [Part[], Part[], Part[]];
    return tf.concat(queries.map((part, i) => joint(part, keys[i] as Part, values[i] as Part)));
  });
}

/** Tokens as keys or values: those of the grid [B, N, C], and heads of those before it [B, h, P, C/h], if there are any. */
interface CutTokens {
  readonly prefix: readonly tf.Tensor4D[];
  readonly tokens: tf.Tensor3D;
}

/** Cuts `x` [B, P + N, C]. */
export function cutPrefix(x: tf.Tensor3D, prefixTokens: number, heads: number): CutTokens {
  if (prefixTokens === 0) return { prefix: [], tokens: x };
  const [before, tokens] = tf.split(x, [prefixTokens, x.shape[1] - prefixTokens], 1) as [tf.Tensor3D, tf.Tensor3D];
  return { prefix: [splitHeads(before, heads)], tokens };
}

/** Some samples of a batch. */
type Part = tf.Tensor3D;

/** Cuts a batch into as few parts of at most `most` as can be, of sizes that differ by one at most. */
function partsOf(batch: number, most: number): number[] {
  const count = Math.ceil(batch / most);
  return Array.from({ length: count }, (_, i) => Math.floor((batch + i) / count));
}

/**
 * The D sets of structural keys (or values): `x` [B, N, C] convolved on its grid with each of the D filters.
 *
 * @returns D tensors [B, L, C]
 */
export function structureSets(x: tf.Tensor3D, filter: StructFilter, grid: Grid, stride = 1): tf.Tensor3D[] {
  return depthwiseSets(x, filter, grid, stride);
}

/** Throws unless tokens, filters, grid and heads belong together; the stride is checked by the convolutions. */
export function assertInputs(
  q: tf.Tensor3D,
  others: Readonly<Record<string, tf.Tensor3D>>,
  filters: { readonly convK: StructFilter; readonly convV: StructFilter },
  { grid, heads, prefixTokens = 0 }: Pick<StructAttentionOptions, 'grid' | 'heads' | 'prefixTokens'>,
): void {
  const [, tokens, channels] = q.shape;
  if (q.rank !== 3) throw new ShapeError({ argument: 'q', expected: 'shape [B,N,C]', actual: formatShape(q.shape) });
  for (const [argument, tensor] of Object.entries(others)) {
    if (formatShape(tensor.shape) !== formatShape(q.shape)) {
      const expected = `the shape of q, ${formatShape(q.shape)}`;
      throw new ShapeError({ argument, expected, actual: formatShape(tensor.shape) });
    }
  }
  assertInteger('prefixTokens', prefixTokens, 0);
  assertGrid(tokens - prefixTokens, grid);
  assertHeads(channels, heads);
  for (const [argument, filter] of Object.entries(filters)) assertTokenFilter(argument, filter, grid.length, channels);
  const [detectorsK, detectorsV] = [filters.convK.shape.at(-1), filters.convV.shape.at(-1)];
  if (detectorsK !== detectorsV) {
    throw new ConfigError('convV', `as many detectors as convK, D = ${detectorsK}`, detectorsV);
  }
}
