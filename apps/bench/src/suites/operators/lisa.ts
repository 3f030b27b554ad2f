import { lisaAttention, lisaSelfAttentionCost, tableShape } from '@saccade/lisa';
import type * as tf from '@tensorflow/tfjs-core';
import { normalInput } from '../support/inputs.ts';
import type { Samples } from '../support/samples.ts';
import { betweenProjections, comparedWithExplicit, type OperatorFactory, outputShape } from './operator.ts';
import { CHANNELS, latticeOf, type OperatorPoint, type Tokens } from './point.ts';
import { dot, headOf, headsOf, tokenSamples, weightedSum } from './reference.ts';

/** D, the default of the layer. */
const PATTERNS = 8;

/** LiSA in its default mode, `structure` with zero padding. Gradients reach both sets of tables too. */
export const lisa: OperatorFactory = (point, tokens, bench) => {
  const heads = CHANNELS / point.headDim;
  const grid = latticeOf(point.tokens).image;
  // As large as the layer's first ones, whose sums over N tokens keep the size of one.
  const std = 0.25 / Math.sqrt(point.tokens);
  const table = (name: string) => normalInput(name, [heads, PATTERNS, ...tableShape(grid, 'zero')], { std });
  const [p, u] = [table('P'), table('U')];
  const layer = lisaSelfAttentionCost({ dim: CHANNELS, heads, grid, patterns: PATTERNS });
  return [
    {
      name: 'LiSA',
      inputs: [tokens.q, tokens.k, tokens.v, p, u],
      outputShape: outputShape(point),
      apply([q, k, v, p, u]) {
        const tables = { mode: 'structure', p: p as tf.Tensor, u: u as tf.Tensor } as const;
        return lisaAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, tables, { grid, heads });
      },
      samples: () => lisaSamples(point, tokens, p.values, u.values),
      // Not on cpu, whose gradient of the explicit path takes minutes: gathered tables are summed segment by segment.
      explicit: ['wasm', 'webgpu'].includes(bench.backend) && comparedWithExplicit(point, bench),
      ...betweenProjections(layer, point),
    },
  ];
};

/**
 * The definition: `K0[n, m] = q_n . k_m`, `S[n, d] = sum over m of K0[n, m] P_d[m - n]`,
 * `K1[n, m] = sum over d of S[n, d] U_d[m - n]`, `y_n = sum over m of K1[n, m] v_m`, with q and k of length 1.
 */
function lisaSamples(point: OperatorPoint, { q, k, v }: Tokens, p: ArrayLike<number>, u: ArrayLike<number>): Samples {
  const [height, width] = latticeOf(point.tokens).image;
  const offsets = (2 * height - 1) * (2 * width - 1);
  const [keys, values] = [headsOf(k.values, point), headsOf(v.values, point)];
  return tokenSamples(point, (place, head) => {
    const n = place[1];
    /** of key m from this query: where it stands in a table */
    const offset = (m: number) => {
      const down = Math.floor(m / width) - Math.floor(n / width) + height - 1;
      return down * (2 * width - 1) + (m % width) - (n % width) + width - 1;
    };
    const entry = (table: ArrayLike<number>, d: number, m: number) =>
      table[(head * PATTERNS + d) * offsets + offset(m)] as number;
    const query = unit(headOf(q.values, point, place, head));
    const scores = keys(place[0], head).map((key) => dot(query, unit(key)));
    const patterns = Array.from({ length: PATTERNS }, (_, d) =>
      scores.reduce((sum, score, m) => sum + score * entry(p, d, m), 0),
    );
    return weightedSum(values(place[0], head), (m) =>
      patterns.reduce((sum, pattern, d) => sum + pattern * entry(u, d, m), 0),
    );
  });
}

/** `t / sqrt(sum of t^2 + 1e-6)`. */
function unit(t: Float64Array): Float64Array {
  const length = Math.sqrt(dot(t, t) + 1e-6);
  return t.map((value) => value / length);
}
