import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { BackendError } from './backendError.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { gridCorrelation, gridCorrelationPerChannel } from './gridCorrelation.ts';
import type { GridCorrelationMethod, GridCorrelationOptions } from './gridCorrelationProblem.ts';
import { setKernelMode } from './kernelMode.ts';
import { product } from './shape.ts';
import {
  CASES,
  correlation,
  correlationGradients,
  entriesOf,
  entry,
  type Problem,
  problems,
  runsOn,
  tableOf,
  tokensOf,
} from './testing/gridCorrelation.ts';
import { at, type Dense, fill, sample, sum, tensor } from './testing/reference.ts';

const operator = (options: GridCorrelationOptions) => (x: tf.Tensor, table: tf.Tensor) =>
  gridCorrelation(x as tf.Tensor4D, table, options);
const perChannel = (options: GridCorrelationOptions) => (x: tf.Tensor, table: tf.Tensor) =>
  gridCorrelationPerChannel(x as tf.Tensor4D, table, options);

/** A table for each channel, by the definition. */
function perChannelReference(x: Dense, table: Dense, p: Problem): Dense {
  return fill(tokensOf(p), (...index) => {
    const [b, head, n, e] = index as [number, number, number, number];
    return sum(product(p.grid), (m) => entry(table, p, [head, e], m, n) * at(x, b, head, m, e));
  });
}

/** Its gradients: each channel is a head with one pattern. */
function perChannelGradients(dy: Dense, x: Dense, table: Dense, p: Problem): Dense[] {
  const tokens = product(p.grid);
  const heads = p.heads * p.channels;
  const lines = (a: Dense, shape: number[]) =>
    fill(shape, (...index) => {
      const [b, head, n] = [index[0], index[1], index.at(-2)] as [number, number, number];
      return at(a, b, Math.floor(head / p.channels), n, head % p.channels);
    });
  const single = { ...p, heads, patterns: 1, channels: 1 };
  const shape = [p.batch, heads, tokens, 1];
  const flatDy = lines(dy, [p.batch, heads, 1, tokens, 1]);
  const flatTable = { ...table, shape: [heads, 1, ...entriesOf(p)] };
  const [dx, dTable] = correlationGradients(flatDy, lines(x, shape), flatTable, single);
  const back = fill(tokensOf(p), (...index) => {
    const [b, head, n, e] = index as [number, number, number, number];
    return at(dx, b, head * p.channels + e, n, 0);
  });
  return [back, dTable];
}

afterEach(() => setKernelMode('auto'));

describeOnBackends('gridCorrelation', (backend) => {
  const onGpu = backend.name === 'webgpu';
  const methods: readonly GridCorrelationMethod[] = ['dense', 'dft', 'fft'];

  it.each(methods)('is the sum over all tokens, weighted by the table, with its gradients: %s', (method) =>
    fc.assert(
      fc.asyncProperty(problems, async (p) => {
        const shapes = [tokensOf(p), tableOf(p), [p.batch, p.heads, p.patterns, product(p.grid), p.channels]];
        const [x, table, dy] = shapes.map((shape, i) => sample(shape, i)) as [Dense, Dense, Dense];
        const y = correlation(x, table, p);
        await expectNoLeak(async () => {
          const inputs = [x, table].map((a) => tensor(a));
          const [value, dx, dTable] = tf.tidy(() => {
            const { value, grads } = tf.valueAndGrads(operator({ ...p, method }))(inputs, tensor(dy));
            return [value, ...grads];
          }) as [tf.Tensor, tf.Tensor, tf.Tensor];
          expect(value.shape).toEqual(y.shape);
          expect([dx.shape, dTable.shape]).toEqual([x.shape, table.shape]);
          await expectClose(value, y.data);
          const expected = correlationGradients(dy, x, table, p);
          await expectClose(dx, expected[0].data);
          await expectClose(dTable, expected[1].data);
          return [...inputs, value, dx, dTable];
        });
      }),
      runsOn(backend.name, method),
    ),
  );

  it.each(methods)('has a table for each channel where asked: %s', (method) =>
    fc.assert(
      fc.asyncProperty(problems, async (p) => {
        const shapes = [tokensOf(p), [p.heads, p.channels, ...entriesOf(p)], tokensOf(p)];
        const [x, table, dy] = shapes.map((shape, i) => sample(shape, i)) as [Dense, Dense, Dense];
        await expectNoLeak(async () => {
          const inputs = [x, table].map((a) => tensor(a));
          const [value, dx, dTable] = tf.tidy(() => {
            const { value, grads } = tf.valueAndGrads(perChannel({ ...p, method }))(inputs, tensor(dy));
            return [value, ...grads];
          }) as [tf.Tensor, tf.Tensor, tf.Tensor];
          expect([value.shape, dx.shape, dTable.shape]).toEqual([x.shape, x.shape, table.shape]);
          await expectClose(value, perChannelReference(x, table, p).data);
          const expected = perChannelGradients(dy, x, table, p) as [Dense, Dense];
          await expectClose(dx, expected[0].data);
          await expectClose(dTable, expected[1].data);
          return [...inputs, value, dx, dTable];
        });
      }),
      runsOn(backend.name, method),
    ),
  );

  it('takes the kernel where there is one, and says so where there is none', async () => {
    const [x, table] = [tf.zeros([1, 1, 6, 2]), tf.zeros([1, 1, 3, 5])];
    const run = (options: Partial<GridCorrelationOptions>) => operator({ grid: [2, 3], ...options })(x, table);
    const kernels = async (options: Partial<GridCorrelationOptions>) =>
      (await tf.profile(() => tf.tidy(() => void run(options)))).kernelNames;
    setKernelMode('fused');
    const kernel = onGpu ? 'SaccadeFourierLines' : 'SaccadeGridCorrelation';
    expect(await kernels({})).toContain(kernel);
    expect(await kernels({ method: 'dft' })).not.toContain(kernel);
    setKernelMode('explicit');
    expect(await kernels({})).not.toContain(kernel);
    expect(await kernels({ method: 'fft' })).toContain(kernel);
    if (backend.name !== 'cpu') {
      const registered = tf.getKernel(kernel, backend.name);
      tf.unregisterKernel(kernel, backend.name);
      expect(() => run({ method: 'fft' })).toThrow(BackendError);
      tf.registerKernel(registered);
    }
    if (onGpu) {
      const closed = tf.zeros([1, 1, 2, 3]);
      const options = { padding: 'circular', method: 'fft' } as const;
      expect(() => operator({ grid: [2, 3], ...options })(x, closed)).toThrow(ConfigError);
      closed.dispose();
    }
    tf.dispose([x, table]);
  });
});

describeOnBackends(
  'gridCorrelation, by finite differences',
  () => {
    it.each(CASES)('%s', async (_, p) => {
      await expectNoLeak(async () => {
        const inputs = [tensor(sample(tokensOf(p), 1)), tensor(sample(tableOf(p), 2))];
        await finiteDifference(operator(p), inputs, { names: ['x', 'table'] });
        return inputs;
      });
    });
  },
  { backends: ['wasm'] },
);

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
