import { attention, mergeHeads, product, Rng, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { LisaSelfAttention } from '../LisaSelfAttention.ts';
import { lisaAttention } from '../lisaAttention.ts';
import { lisaMaps } from '../maps.ts';
import type { LisaGrid } from '../tables.ts';
import { normal } from './problem.ts';

/** The sizes of DeiT-Ti's layers; one sample. */
export const LAYER = { dim: 192, heads: 3 } as const;

/** Grids of 784 to 12544 tokens, over which slopes are fitted, after two smaller ones. */
export const GRIDS: readonly LisaGrid[] = [
  [14, 14],
  [20, 20],
  [28, 28],
  [28, 56],
  [56, 56],
  [56, 112],
  [112, 112],
];
export const FITTED_FROM = 784;

/** The most tokens for softmax attention, whose maps of N x N for three heads must find room in 4 GiB of wasm memory. */
export const SOFTMAX_LIMIT = 6272;

/** What is measured: the operators between projections, and one step of training of a whole LiSA layer. */
export type What = 'lisa' | 'softmax' | 'training';

/** One computation on random numbers. */
export interface Work {
  run(): tf.Tensor;
  /** The largest error of the result in three tokens, relative to its largest number: against all pairs of those, for LiSA. */
  error(): Promise<number>;
  dispose(): void;
}

export function workOf(what: What, grid: LisaGrid): Work {
  const { dim, heads } = LAYER;
  const tokens = product(grid);
  const rng = new Rng(3);
  const [q, k, v] = [1, 2, 3].map(() => tf.tensor3d(normal(rng, tokens * dim), [1, tokens, dim])) as Tokens;
  const layer = new LisaSelfAttention({ ...LAYER, grid });
  const { mode: _, ...tables } = layer.tables();
  const own = { mode: 'structure', ...tables } as ReturnType<typeof layer.tables>;
  const runs: Record<What, () => tf.Tensor> = {
    lisa: () => lisaAttention(q, k, v, own, { grid, heads }),
    softmax: () => {
      const [queries, keys, values] = [q, k, v].map((x) => splitHeads(x, heads)) as [
        tf.Tensor4D,
        tf.Tensor4D,
        tf.Tensor4D,
      ];
      return mergeHeads(attention(queries, keys, values));
    },
    training: () => {
      const variables = [...layer.namedParameters().values()].map(({ variable }) => variable);
      const { value, grads } = tf.variableGrads(() => tf.mean(tf.square(layer.forward(q, grid))), variables);
      for (const variable of variables) {
        variable.assign(tf.sub(variable, tf.mul(grads[variable.name] as tf.Tensor, 1e-3)));
      }
      return value;
    },
  };
  return {
    run: () => tf.tidy(runs[what]),
    error: async () => {
      const chosen = [0, Math.floor(tokens / 2), tokens - 1];
      const [actual, expected] = tf.tidy(() => {
        const y = runs.lisa() as tf.Tensor3D;
        const { kernel } = lisaMaps(q, k, own, { grid, heads, queries: chosen });
        const rows = chosen.map((n) => tf.slice(y, [0, n, 0], [1, 1, dim]));
        return [tf.concat(rows, 1), mergeHeads(tf.matMul(kernel, splitHeads(v, heads)) as tf.Tensor4D)];
      }) as [tf.Tensor, tf.Tensor];
      const [a, b] = [await actual.data<'float32'>(), await expected.data<'float32'>()];
      tf.dispose([actual, expected]);
      const largest = b.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0) / largest;
    },
    dispose: () => {
      tf.dispose([q, k, v, ...Object.values(tables)]);
      layer.dispose();
    },
  };
}

type Tokens = [q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D];
