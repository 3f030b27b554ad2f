import { hasFftCorrelation } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LisaCompute } from './compute.ts';
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
      fc.asyncProperty(problems(), fc.constantFrom('dense', 'dft', 'fft', 'auto'), async (p, drawn) => {
        const compute = drawn === 'fft' && !hasFftCorrelation() ? 'auto' : drawn;
        await expectClose(await run(p, { compute }), reference(p).y, { tolerance: 2e-5 });
      }),
      runs,
    ));

  // Every size costs webgpu its shaders.
  it.each(name === 'webgpu' ? CASES.filter(({ grid }) => grid.length === 2) : CASES)(
    'has the same gradients densely and by transforms: $mode, $padding, $grid',
    async (sizes) => {
      const p = problem(sizes);
      const gradients = (compute: LisaCompute) =>
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
      for (const compute of hasFftCorrelation() ? (['dft', 'fft'] as const) : (['dft'] as const)) {
        await expectNoLeak(async () => {
          const [dense, other] = [gradients('dense'), gradients(compute)];
          for (const [i, gradient] of dense.entries()) {
            await expectClose(other[i] as tf.Tensor, gradient, { tolerance: 5e-5 });
          }
          return [...dense, ...other];
        });
      }
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
