import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ShapeError } from './errors.ts';
import type { GridCorrelationMethod, GridCorrelationOptions, GridPadding } from './gridCorrelationProblem.ts';
import { structureCorrelation } from './structureCorrelation.ts';
import {
  CASES,
  type Problem,
  problem,
  problems,
  runsOn,
  structure,
  structureGradients,
  tableOf,
  tokensOf,
} from './testing/gridCorrelation.ts';
import { type Dense, sample, tensor } from './testing/reference.ts';

type Five<T> = readonly [T, T, T, T, T];

const operator =
  (options: GridCorrelationOptions) =>
  (...inputs: tf.Tensor[]) => {
    const [q, k, v, P, U] = inputs as unknown as Five<tf.Tensor4D>;
    return structureCorrelation(q, k, v, P, U, options);
  };
const inputsOf = (p: Problem): Five<Dense> =>
  [tokensOf(p), tokensOf(p), tokensOf(p), tableOf(p), tableOf(p)].map((shape, i) =>
    sample(shape, 10 + i),
  ) as unknown as Five<Dense>;
/** The value and the five gradients. */
const evaluate = (options: GridCorrelationOptions, inputs: tf.Tensor[], dy: Dense) =>
  tf.tidy(() => {
    const { value, grads } = tf.valueAndGrads(operator(options))(inputs, tensor(dy));
    return [value, ...grads];
  });
const names = ['q', 'k', 'v', 'P', 'U'];

describeOnBackends('structureCorrelation', (backend) => {
  const methods: readonly GridCorrelationMethod[] = ['dense', 'dft', 'fft'];

  it.each(methods)('is the structure-aware kernel of N x N, applied, with its gradients: %s', (method) =>
    fc.assert(
      fc.asyncProperty(problems, async (p) => {
        const dense = inputsOf(p);
        const dy = sample(tokensOf(p), 20);
        const expected = [structure(dense, p), ...structureGradients(dy, dense, p)];
        await expectNoLeak(async () => {
          const inputs = dense.map((input) => tensor(input));
          const results = evaluate({ ...p, method }, inputs, dy);
          expect(results.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
          for (const [i, { data }] of expected.entries()) await expectClose(results[i] as tf.Tensor, data);
          return [...inputs, ...results];
        });
      }),
      runsOn(backend.name, method),
    ),
  );

  it('refuses inputs that do not belong together', () => {
    const inputs = inputsOf(problem({ grid: [2, 3] })).map((x) => tensor(x));
    const [q, k, v, P, U] = inputs as unknown as Five<tf.Tensor4D>;
    const options = { grid: [2, 3] };
    const fewer = tf.zeros([2, 1, 3, 5]);
    const narrow = tf.zeros([2, 2, 6, 1]) as tf.Tensor4D;
    expect(() => structureCorrelation(q, narrow, v, P, U, options)).toThrow(ShapeError);
    expect(() => structureCorrelation(q, k, narrow, P, U, options)).toThrow(ShapeError);
    expect(() => structureCorrelation(q, k, v, P, fewer, options)).toThrow(ShapeError);
    expect(() => structureCorrelation(q, k, v, P, U, { grid: [3, 2] })).toThrow(ShapeError);
    tf.dispose([...inputs, fewer, narrow]);
  });
});

describeOnBackends(
  'structureCorrelation, by finite differences',
  () => {
    it.each(CASES)('%s', async (_, p) => {
      await expectNoLeak(async () => {
        const inputs = inputsOf(p).map((input) => tensor(input));
        await finiteDifference(operator(p), inputs, { names });
        return inputs;
      });
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends(
  'structureCorrelation, at the sizes of networks',
  () => {
    // The two methods share nothing: one multiplies by matrices, the other by butterflies.
    it.each<[string, readonly number[], GridPadding]>([
      ['56 x 56', [56, 56], 'zero'],
      ['56 x 56, closed: factors of 7', [56, 56], 'circular'],
      ['28 x 50: factors of 5, and padded', [28, 50], 'circular'],
      ['clips', [8, 14, 14], 'zero'],
      ['48 tokens in a row', [1, 48], 'zero'],
    ])('fft and dft agree, gradients included: %s', async (_, grid, padding) => {
      const p = problem({ grid, padding, batch: 1, heads: 1, patterns: 2, channels: 8 });
      const inputs = inputsOf(p).map((input) => tensor(input));
      const dy = sample(tokensOf(p), 20);
      const [fft, dft] = (['fft', 'dft'] as const).map((method) => evaluate({ ...p, method }, inputs, dy)) as [
        tf.Tensor[],
        tf.Tensor[],
      ];
      for (const [i, expected] of dft.entries()) await expectClose(fft[i] as tf.Tensor, expected);
      tf.dispose([...inputs, ...fft, ...dft]);
    });

    it('visits patterns one after the other: more of them take no map of all channels each', async () => {
      const peak = async (patterns: number) => {
        const p = problem({ grid: [28, 28], batch: 1, heads: 1, patterns, channels: 64 });
        const inputs = inputsOf(p).map((input) => tensor(input));
        const dy = sample(tokensOf(p), 20);
        const { peakBytes } = await tf.profile(() => {
          const results = evaluate({ ...p, method: 'dft' }, inputs, dy);
          tf.dispose(results);
          return results;
        });
        tf.dispose(inputs);
        return peakBytes;
      };
      const map = 4 * 784 * 64;
      expect((await peak(12)) - (await peak(4))).toBeLessThan(8 * map);
    });
  },
  { backends: ['wasm'] },
);
