import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ShapeError } from './errors.ts';
import type { GridCorrelationMethod, GridCorrelationOptions } from './gridCorrelationProblem.ts';
import { structureCorrelation } from './structureCorrelation.ts';
import { CASES, type Problem, problem, problems, structure, tableOf, tokensOf } from './testing/gridCorrelation.ts';
import { type Dense, sample, tensor } from './testing/reference.ts';

type Five<T> = [T, T, T, T, T];

const operator =
  (options: GridCorrelationOptions) =>
  (...inputs: tf.Tensor[]) => {
    const [q, k, v, P, U] = inputs as Five<tf.Tensor4D>;
    return structureCorrelation(q, k, v, P, U, options);
  };
const inputsOf = (p: Problem): Five<Dense> => {
  const shapes = [tokensOf(p), tokensOf(p), tokensOf(p), tableOf(p), tableOf(p)];
  return shapes.map((shape, i) => sample(shape, 10 + i)) as Five<Dense>;
};
const names = ['q', 'k', 'v', 'P', 'U'];

describeOnBackends('structureCorrelation', (backend) => {
  const methods: readonly GridCorrelationMethod[] =
    backend.name === 'webgpu' ? ['dense', 'dft'] : ['dense', 'dft', 'fft'];

  it.each(methods)('is the structure-aware kernel of N x N, applied: %s', (method) =>
    fc.assert(
      fc.asyncProperty(problems, async (p) => {
        const inputs = inputsOf(p);
        const y = tf.tidy(() => operator({ ...p, method })(...inputs.map((input) => tensor(input))));
        const expected = structure(...inputs, p);
        expect(y.shape).toEqual(expected.shape);
        await expectClose(y, expected.data);
        y.dispose();
      }),
      { numRuns: backend.name === 'webgpu' ? 10 : 50, seed: 43 },
    ),
  );

  const cases = methods.flatMap((method) => CASES.map(([name, p]) => [method, name, p] as const));

  it.each(cases)('gradients by finite differences: %s, %s', async (method, _, p) => {
    await expectNoLeak(async () => {
      const inputs = inputsOf(p).map((input) => tensor(input));
      await finiteDifference(operator({ ...p, method }), inputs, { names });
      return inputs;
    });
  });

  it('refuses inputs that do not belong together', () => {
    const [q, k, v, P, U] = inputsOf(problem({ grid: [2, 3] })).map((x) => tensor<tf.Tensor4D>(x)) as Five<tf.Tensor4D>;
    const options = { grid: [2, 3] };
    const fewer = tf.zeros([2, 1, 3, 5]);
    const narrow = tf.zeros([2, 2, 6, 1]) as tf.Tensor4D;
    expect(() => structureCorrelation(q, narrow, v, P, U, options)).toThrow(ShapeError);
    expect(() => structureCorrelation(q, k, narrow, P, U, options)).toThrow(ShapeError);
    expect(() => structureCorrelation(q, k, v, P, fewer, options)).toThrow(ShapeError);
    expect(() => structureCorrelation(q, k, v, P, U, { grid: [3, 2] })).toThrow(ShapeError);
    tf.dispose([q, k, v, P, U, fewer, narrow]);
  });
});
