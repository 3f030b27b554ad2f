import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigError, ShapeError } from './errors.ts';
import { gridCorrelation, gridCorrelationPerChannel } from './gridCorrelation.ts';
import type { GridCorrelationMethod, GridCorrelationOptions } from './gridCorrelationProblem.ts';
import { product } from './shape.ts';
import {
  CASES,
  correlation,
  entriesOf,
  entry,
  problem,
  problems,
  tableOf,
  tokensOf,
} from './testing/gridCorrelation.ts';
import { at, fill, sample, sum, tensor } from './testing/reference.ts';

const operator = (options: GridCorrelationOptions) => (x: tf.Tensor, table: tf.Tensor) =>
  gridCorrelation(x as tf.Tensor4D, table, options);
const perChannel = (options: GridCorrelationOptions) => (x: tf.Tensor, table: tf.Tensor) =>
  gridCorrelationPerChannel(x as tf.Tensor4D, table, options);

describeOnBackends('gridCorrelation', (backend) => {
  const methods: readonly GridCorrelationMethod[] =
    backend.name === 'webgpu' ? ['dense', 'dft'] : ['dense', 'dft', 'fft'];
  const runs = { numRuns: backend.name === 'webgpu' ? 12 : 60, seed: 41 };

  it.each(methods)('is the sum over all tokens, weighted by the table: %s', (method) =>
    fc.assert(
      fc.asyncProperty(problems, async (p) => {
        const [x, table] = [sample(tokensOf(p), 1), sample(tableOf(p), 2)];
        const y = tf.tidy(() => operator({ ...p, method })(tensor(x), tensor(table)));
        const expected = correlation(x, table, p);
        expect(y.shape).toEqual(expected.shape);
        await expectClose(y, expected.data);
        y.dispose();
      }),
      runs,
    ),
  );

  it.each(methods)('has a table for each channel where asked: %s', (method) =>
    fc.assert(
      fc.asyncProperty(problems, async (p) => {
        const [x, table] = [sample(tokensOf(p), 3), sample([p.heads, p.channels, ...entriesOf(p)], 4)];
        const y = tf.tidy(() => perChannel({ ...p, method })(tensor(x), tensor(table)));
        const expected = fill(tokensOf(p), (...index) => {
          const [b, head, n, e] = index as [number, number, number, number];
          return sum(product(p.grid), (m) => entry(table, p, [head, e], m, n) * at(x, b, head, m, e));
        });
        expect(y.shape).toEqual(expected.shape);
        await expectClose(y, expected.data);
        y.dispose();
      }),
      runs,
    ),
  );

  const cases = methods.flatMap((method) => CASES.map(([name, p]) => [method, name, p] as const));

  it.each(cases)('gradients by finite differences: %s, %s', async (method, _, p) => {
    await expectNoLeak(async () => {
      const inputs = [tensor(sample(tokensOf(p), 1)), tensor(sample(tableOf(p), 2))];
      await finiteDifference(operator({ ...p, method }), inputs, { names: ['x', 'table'] });
      return inputs;
    });
  });

  it.each(methods)('gradients of tables for each channel: %s', async (method) => {
    const p = problem({ grid: [2, 3], heads: 2, channels: 3 });
    await expectNoLeak(async () => {
      const inputs = [tensor(sample(tokensOf(p), 1)), tensor(sample([2, 3, 3, 5], 2))];
      await finiteDifference(perChannel({ ...p, method }), inputs, { names: ['x', 'table'] });
      return inputs;
    });
  });

  it.each(methods)('leaves its result, and gradients, and nothing else: %s', async (method) => {
    const p = problem({ grid: [3, 4] });
    await expectNoLeak(() => {
      const [x, table] = [tensor(sample(tokensOf(p), 1)), tensor(sample(tableOf(p), 2))];
      const { value, grads } = tf.valueAndGrads(operator({ ...p, method }))([x, table]);
      return [x, table, value, ...grads];
    });
  });
});

describeOnBackends(
  'gridCorrelation, what it refuses',
  () => {
    const x = () => tf.zeros([1, 2, 6, 4]) as tf.Tensor4D;

    it.each<[string, number[], GridCorrelationOptions]>([
      ['the tables of a circular grid', [2, 1, 2, 3], { grid: [2, 3] }],
      ['tables of even length', [2, 1, 4, 5], { grid: [2, 3] }],
      ['the tables of a zero-padded grid', [2, 1, 3, 5], { grid: [2, 3], padding: 'circular' }],
      ['tables of another grid', [2, 1, 5, 3], { grid: [2, 3] }],
      ['tables for other heads', [3, 1, 3, 5], { grid: [2, 3] }],
      ['tables of too few axes', [2, 3, 5], { grid: [2, 3] }],
      ['no table at all', [2, 0, 3, 5], { grid: [2, 3] }],
      ['a grid of other tokens', [2, 1, 3, 3], { grid: [2, 2] }],
    ])('%s', (_, shape, options) => {
      tf.tidy(() => {
        expect(() => gridCorrelation(x(), tf.zeros(shape), options)).toThrow(ShapeError);
      });
    });

    it.each<[string, object]>([
      ['a grid without axes', { grid: [] }],
      ['a grid of four axes', { grid: [1, 1, 2, 3] }],
      ['a grid with half a row', { grid: [2.5, 3] }],
      ['an unknown padding', { grid: [2, 3], padding: 'same' }],
      ['an unknown method', { grid: [2, 3], method: 'fast' }],
    ])('%s', (_, options) => {
      tf.tidy(() => {
        const table = tf.zeros([2, 1, 3, 5]);
        expect(() => gridCorrelation(x(), table, options as GridCorrelationOptions)).toThrow(ConfigError);
      });
    });

    it('tokens that are not of rank 4, and tables that are not for each channel', () => {
      tf.tidy(() => {
        const flat = tf.zeros([2, 6, 4]) as unknown as tf.Tensor4D;
        expect(() => gridCorrelation(flat, tf.zeros([2, 1, 3, 5]), { grid: [2, 3] })).toThrow(ShapeError);
        expect(() => gridCorrelationPerChannel(x(), tf.zeros([2, 1, 3, 5]), { grid: [2, 3] })).toThrow(/table/);
      });
    });
  },
  { backends: ['cpu'] },
);
