import { Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Sizes of a DG-Attention problem. */
export interface Sizes {
  readonly batch?: number;
  readonly tokens?: number;
  readonly heads?: number;
  /** d, channels of a head */
  readonly size?: number;
  readonly groups?: number;
  readonly seed?: number;
}

/** Numbers of a problem: q, k, v [B, N, C], centroids [h, G, d], row-major. */
export interface Problem extends Required<Sizes> {
  readonly channels: number;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly centroids: Float32Array;
}

export function problem({ batch = 2, tokens = 20, heads = 2, size = 4, groups = 5, seed = 1 }: Sizes = {}): Problem {
  const rng = new Rng(seed);
  const normal = (count: number) => Float32Array.from({ length: count }, () => rng.normal());
  const make = () => normal(batch * tokens * heads * size);
  const sizes = { batch, tokens, heads, size, groups, seed, channels: heads * size };
  return { ...sizes, q: make(), k: make(), v: make(), centroids: normal(heads * groups * size) };
}

/** A problem as tensors. */
export interface ProblemTensors {
  readonly q: tf.Tensor3D;
  readonly k: tf.Tensor3D;
  readonly v: tf.Tensor3D;
  readonly centroids: tf.Tensor3D;
}

export function tensors({ batch, tokens, channels, heads, groups, size, ...values }: Problem): ProblemTensors {
  const make = (x: Float32Array, shape: [number, number, number]) => tf.tensor3d(x, shape);
  const [q, k, v] = [values.q, values.k, values.v].map((x) => make(x, [batch, tokens, channels]));
  return { q, k, v, centroids: make(values.centroids, [heads, groups, size]) } as ProblemTensors;
}

/** What the formulas of the docstring are computed with. */
export interface ReferenceOptions {
  readonly attention?: 'dot' | 'cosine';
  readonly assign?: 'dot' | 'euclid';
  readonly topK: number;
  /** logarithms of the heads' scales, for `cosine` */
  readonly logitScale?: readonly number[];
}

/** What a reference computes: the output [B, N, C], decisions, and how narrow the narrowest of them was. */
export interface Reference {
  readonly y: Float64Array;
  /** [B][h][N] */
  readonly assignment: number[][][];
  /** [B][h][G], ascending */
  readonly keys: number[][][][];
  /** smallest gap between the two best groups of a query, and between the k-th and the next key of a group */
  readonly margin: number;
}

/** The formulas of `dynamicGroupAttention` in float64: one query, one key at a time. */
export function reference(made: Problem, options: ReferenceOptions): Reference {
  const { batch, tokens, heads, size, groups, channels } = made;
  const { attention = 'dot', assign = 'dot', topK, logitScale = [] } = options;
  const range = (count: number) => Array.from({ length: count }, (_, i) => i);
  const row = (x: Float32Array, at: number) => Array.from(x.subarray(at, at + size));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const unit = (a: number[]) => a.map((value) => value / Math.max(Math.sqrt(dot(a, a)), 1e-12));
  const ranked = (scores: number[]) => range(scores.length).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const y = new Float64Array(batch * tokens * channels);
  let margin = Number.POSITIVE_INFINITY;
  const gap = (scores: number[], place: number) => {
    const order = ranked(scores);
    if (place < order.length) margin = Math.min(margin, scores[order[place - 1]!]! - scores[order[place]!]!);
    return order;
  };
  const assignment = range(batch).map(() => range(heads).map((): number[] => []));
  const keys = range(batch).map(() => range(heads).map((): number[][] => []));
  for (const b of range(batch)) {
    for (const h of range(heads)) {
      const at = (i: number) => (b * tokens + i) * channels + h * size;
      const centroids = range(groups).map((g) => row(made.centroids, (h * groups + g) * size));
      const keyRows = range(tokens).map((l) => row(made.k, at(l)));
      const compared = attention === 'cosine' ? keyRows.map(unit) : keyRows;
      for (const e of centroids) {
        const order = gap(
          compared.map((key) => dot(e, key)),
          topK,
        );
        keys[b]![h]!.push(order.slice(0, topK).sort((i, j) => i - j));
      }
      for (const i of range(tokens)) {
        const q = row(made.q, at(i));
        const fits = centroids.map((e) => dot(unit(q), e) - (assign === 'euclid' ? dot(e, e) / 2 : 0));
        const group = gap(fits, 1)[0]!;
        assignment[b]![h]!.push(group);
        const own = keys[b]![h]![group]!;
        const factor = attention === 'cosine' ? Math.exp(Math.min(logitScale[h]!, Math.log(100))) : 1 / Math.sqrt(size);
        const query = attention === 'cosine' ? unit(q) : q;
        const scores = own.map((l) => factor * dot(query, compared[l]!));
        const largest = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - largest));
        const total = weights.reduce((a, b) => a + b, 0);
        own.forEach((l, j) => {
          for (let c = 0; c < size; c++) y[at(i) + c]! += (weights[j]! / total) * made.v[at(l) + c]!;
        });
      }
    }
  }
  return { y, assignment, keys, margin };
}

/** Reorders the rows of x [outer, rows, inner] by `order`, for permutations of tokens or centroids. */
export function reordered(x: tf.Tensor3D, order: readonly number[]): tf.Tensor3D {
  return tf.gather(x, tf.tensor1d([...order], 'int32'), 1);
}
