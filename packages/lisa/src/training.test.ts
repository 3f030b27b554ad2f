import { product, Rng } from '@saccade/tensor-ops';
import { describeOnBackends, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { LisaSelfAttention } from './LisaSelfAttention.ts';
import { lisaAttention } from './lisaAttention.ts';
import { normal } from './testing/problem.ts';

describeOnBackends(
  'LisaSelfAttention',
  () => {
    it.each([[[7, 7]], [[14, 14]], [[28, 28]], [[56, 56]]])(
      'starts with results of the size of its values: %j',
      async (grid) => {
        const [dim, heads, tokens] = [128, 2, product(grid)];
        const layer = new LisaSelfAttention({ dim, heads, grid, rng: new Rng(1) });
        const rng = new Rng(2);
        const ratio = tf.tidy(() => {
          const [q, k, v] = [1, 2, 3].map(() => tf.tensor3d(normal(rng, tokens * dim), [1, tokens, dim])) as [
            tf.Tensor3D,
            tf.Tensor3D,
            tf.Tensor3D,
          ];
          const y = lisaAttention(q, k, v, layer.tables(), { grid, heads });
          return tf.sqrt(tf.div(tf.mean(tf.square(y)), tf.mean(tf.square(v))));
        });
        const [value] = (await ratio.data()) as Float32Array;
        expect(value).toBeGreaterThan(0.05);
        expect(value).toBeLessThan(0.3);
        layer.dispose();
        ratio.dispose();
      },
    );

    it.each([
      ['structure', 'dense'],
      ['structure', 'dft'],
      ['kernelized', 'dense'],
      ['hadamard', 'dense'],
      ['hadamard', 'dft'],
    ] as const)('learns: mode %s, %s', async (mode, compute) => {
      // The value two columns to the right, which no token knows by itself.
      const grid = [3, 5] as const;
      const rng = new Rng(3);
      const x = tf.tensor3d(normal(rng, 4 * 15 * 4), [4, 15, 4]);
      const wanted = tf.tidy(() => {
        const map = tf.reshape(x, [4, 3, 5, 4]) as tf.Tensor4D;
        const moved = tf.pad(tf.slice(map, [0, 0, 2, 0], [4, 3, 3, 4]), [
          [0, 0],
          [0, 0],
          [0, 2],
          [0, 0],
        ]);
        return tf.reshape(moved, [4, 15, 4]);
      });
      const layer = new LisaSelfAttention({ dim: 4, heads: 2, grid, mode, compute, patterns: 2, rng: new Rng(1) });
      const variables = [...layer.namedParameters().values()].map(({ variable }) => variable);
      for (const variable of variables) {
        if (variable.rank === 2)
          variable.assign(tf.tidy(() => tf.tensor(normal(rng, variable.size, 0.5), variable.shape)));
      }
      const losses: number[] = [];
      await expectNoLeak(async () => {
        // tfjs' optimisers need gradients that it does not register: steps of a fixed length.
        for (let step = 0; step < 60; step++) {
          const { value, grads } = tf.variableGrads(
            () => tf.mean(tf.squaredDifference(layer.forward(x, grid), wanted)) as tf.Scalar,
            variables,
          );
          tf.tidy(() => {
            const norm = tf.sqrt(tf.addN(Object.values(grads).map((gradient) => tf.sum(tf.square(gradient)))));
            for (const variable of variables) {
              const step = tf.div(tf.mul(grads[variable.name] as tf.Tensor, 0.1), norm);
              variable.assign(tf.sub(variable, step));
            }
          });
          losses.push((await value.data())[0] as number);
          tf.dispose([value, grads]);
        }
        return [];
      });
      expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] as number));
      layer.dispose();
      tf.dispose([x, wanted]);
    });
  },
  { backends: ['wasm'] },
);
