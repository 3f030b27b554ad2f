import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { kernelizedSums, lisaAttention } from './lisaAttention.ts';
import { asTables, optionsOf, problem, problems, run, tensors, values } from './testing/problem.ts';
import { reference } from './testing/reference.ts';

const SMALL = { batch: 2, heads: 2, headDim: 3, patterns: 2, seed: 3 } as const;
const MODES = ['structure', 'kernelized', 'hadamard'] as const;

/** Every mode and padding, on grids of one, two and three axes. */
const CASES = MODES.flatMap((mode) =>
  (['zero', 'circular'] as const).flatMap((padding) =>
    [[5], [2, 3], [2, 1, 3]].map((grid) => ({ ...SMALL, mode, padding, grid, qkNorm: 'l2' as const })),
  ),
);

describeOnBackends('lisaAttention', ({ name }) => {
  const runs = { numRuns: name === 'webgpu' ? 5 : 40, seed: 1 };

  it('computes its formulas, whatever the sizes', () =>
    fc.assert(
      fc.asyncProperty(problems(), fc.constantFrom('dense', 'dft', 'auto'), async (p, compute) => {
        await expectClose(await run(p, { compute }), reference(p).y, { tolerance: 2e-5 });
      }),
      runs,
    ));

  // Every size costs webgpu its shaders.
  it.each(name === 'webgpu' ? CASES.filter(({ grid }) => grid.length === 2) : CASES)(
    'has the same gradients densely and by transforms: $mode, $padding, $grid',
    async (sizes) => {
      const p = problem(sizes);
      const gradients = (compute: 'dense' | 'dft') =>
        tf.tidy(() => {
          const inputs = tensors(p);
          const f = (...[q, k, v, ...tables]: tf.Tensor[]) => {
            const options = { ...optionsOf(p), compute };
            const y = lisaAttention(
              ...([q, k, v] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D]),
              asTables(p.mode, tables),
              options,
            );
            return tf.sum(tf.mul(y, tf.reshape(tf.sin(tf.range(0, y.size)), y.shape)));
          };
          return tf.grads(f)(inputs);
        });
      await expectNoLeak(async () => {
        const [dense, dft] = [gradients('dense'), gradients('dft')];
        for (const [i, gradient] of dense.entries()) {
          await expectClose(dft[i] as tf.Tensor, gradient, { tolerance: 5e-5 });
        }
        return [...dense, ...dft];
      });
    },
  );
});

describeOnBackends(
  'lisaAttention, gradients',
  () => {
    it.each(CASES.filter(({ grid }) => grid.length < 3))(
      'are those of finite differences: $mode, $padding, $grid',
      async (sizes) => {
        const p = problem({ ...sizes, batch: 1 });
        const f = (...[q, k, v, ...tables]: tf.Tensor[]) =>
          lisaAttention(...([q, k, v] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D]), asTables(p.mode, tables), {
            ...optionsOf(p),
            compute: 'dense',
          });
        const names = ['q', 'k', 'v', ...(p.mode === 'structure' ? ['p', 'u'] : ['r'])];
        await finiteDifference(f, tensors(p), { names });
      },
    );
  },
  { backends: ['cpu', 'wasm'] },
);

describeOnBackends(
  'lisaAttention on larger grids',
  () => {
    it.each([
      ['structure', [28, 28]],
      ['structure', [56, 56]],
      ['kernelized', [28, 28]],
      ['hadamard', [56, 56]],
      ['structure', [4, 14, 14]],
    ] as const)('agrees with all pairs at once: %s on %j', async (mode, grid) => {
      for (const padding of ['zero', 'circular'] as const) {
        const sizes = { ...SMALL, batch: 1, heads: 1, headDim: 4, mode, padding, grid, qkNorm: 'l2' } as const;
        const p = problem(sizes);
        await expectClose(await run(p, { compute: 'dft' }), await run(p, { compute: 'dense' }));
      }
    });

    it('sums the maps of mode kernelized in parts where there are many', async () => {
      // 32 channels of 33 numbers at 3136 tokens are more than are correlated at once.
      const sizes = { ...SMALL, batch: 1, heads: 1, headDim: 32, mode: 'kernelized', grid: [56, 56] } as const;
      const p = problem({ ...sizes, padding: 'circular', qkNorm: 'none' });
      await expectClose(await run(p, { compute: 'dft' }), await run(p, { compute: 'dense' }));
    });

    it('leaves nothing behind', async () => {
      for (const mode of MODES) {
        const p = problem({ ...SMALL, mode, padding: 'zero', grid: [6, 7], qkNorm: 'none' });
        for (const compute of ['dense', 'dft', 'auto'] as const) {
          await expectNoLeak(() => {
            const [q, k, v, ...tables] = tensors(p);
            const y = lisaAttention(q, k, v, asTables(mode, tables), { ...optionsOf(p), compute });
            return [q, k, v, ...tables, y];
          });
        }
      }
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends('kernelizedSums', () => {
  it('has the numerator and the denominator of the result, computed either way', async () => {
    const p = problem({ ...SMALL, mode: 'kernelized', padding: 'zero', grid: [3, 4], qkNorm: 'none' });
    for (const compute of ['dense', 'dft'] as const) {
      const quotient = await values(() => {
        const [q, k, v, r] = tensors(p);
        const { numerator, denominator } = kernelizedSums(q, k, v, r as tf.Tensor, { ...optionsOf(p), compute });
        expect(denominator.shape).toEqual([2, 2, 12, 1]);
        return tf.reshape(tf.transpose(tf.div(numerator, denominator), [0, 2, 1, 3]), [2, 12, 6]);
      });
      await expectClose(quotient, reference(p).y);
    }
  });
});
