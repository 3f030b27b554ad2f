import { type GridCorrelationMethod, gridCorrelation, structureCorrelation } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import type { FunctionWork } from '../support/functionWork.ts';
import { type Input, normalInput } from '../support/inputs.ts';
import { sampleOutputs } from '../support/samples.ts';
import { at, BOTH, FORWARD, type OpCase, parametersIn, sizesOf, sum } from './opCase.ts';

/** What LiSA correlates with: D tables of relative positions as large as the grid, of three heads of 64. TensorFlow.js has
 * nothing like it: the baseline is the product with gathered matrices. */
const correlation = (side: number, patterns: number): OpCase => {
  const [heads, tokens, size] = [3, side * side, 64];
  const x = normalInput('x', [1, heads, tokens, size]);
  const table = tableInput('table', heads, patterns, side);
  const shape = [1, heads, patterns, tokens, size];
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x, table],
    outputShape: shape,
    samples: () =>
      sampleOutputs(shape, ([, h, d, n, e]) =>
        sum(tokens, (m) => {
          const value = at(x, 0, h as number, m, e as number);
          return tableEntry(table, side, [h as number, d as number], n as number, m) * value;
        }),
      ),
    macs: heads * patterns * tokens * tokens * size,
    params: parametersIn(table),
  };
  const grid = [side, side];
  const by = (method: GridCorrelationMethod): FunctionWork => ({
    ...common,
    name: `tensor-ops (${method})`,
    apply: ([x, table]) => gridCorrelation(x as tf.Tensor4D, table as tf.Tensor, { grid, method }),
  });
  const sizes = `${sizesOf(side, side, heads * size)}-D${patterns}`;
  return {
    name: `gridCorrelation/${sizes}`,
    parameters: { operation: 'gridCorrelation', sizes },
    directions: FORWARD,
    works: () => [by('dense'), by('dft'), by('fft')],
  };
};

/** LiSA between projections and without the norms of q and k: by the kernel where there is one, and by products. */
const structure = (side: number, patterns: number): OpCase => {
  const [heads, tokens, size] = [3, side * side, 64];
  const rows = (name: string) => normalInput(name, [1, heads, tokens, size], { std: size ** -0.5 });
  const [q, k, v] = [rows('q'), rows('k'), rows('v')];
  const [p, u] = [tableInput('P', heads, patterns, side), tableInput('U', heads, patterns, side)];
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [q, k, v, p, u],
    outputShape: q.shape,
    samples: () => structureSamples(q, k, v, p, u, side),
    macs: 2 * heads * tokens * tokens * (size + patterns),
    params: parametersIn(p, u),
  };
  const grid = [side, side];
  const by = (method: GridCorrelationMethod): FunctionWork => ({
    ...common,
    name: `tensor-ops (${method})`,
    apply(tensors) {
      const [q, k, v, p, u] = tensors as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor, tf.Tensor];
      return structureCorrelation(q, k, v, p, u, { grid, method });
    },
  });
  const sizes = `${sizesOf(side, side, heads * size)}-D${patterns}`;
  return {
    name: `structureCorrelation/${sizes}`,
    parameters: { operation: 'structureCorrelation', sizes },
    directions: BOTH,
    quick: FORWARD,
    works: () => [by('dft'), by('fft')],
  };
};

function tableInput(name: string, heads: number, patterns: number, side: number): Input {
  return normalInput(name, [heads, patterns, 2 * side - 1, 2 * side - 1], { std: 1 / side });
}

/** Entry of a table at the offset of key m from query n. */
function tableEntry(table: Input, side: number, [h, d]: readonly [number, number], n: number, m: number): number {
  const down = Math.floor(m / side) - Math.floor(n / side) + side - 1;
  return at(table, h, d, down, (m % side) - (n % side) + side - 1);
}

/** `y[n] = sum over d, m of (sum over l of P_d[l - n] q_n . k_l) U_d[m - n] v_m`, a few channels of a few tokens. */
function structureSamples(q: Input, k: Input, v: Input, p: Input, u: Input, side: number) {
  const [tokens, size, patterns] = [side * side, q.shape[3] as number, p.shape[1] as number];
  return sampleOutputs(
    q.shape,
    ([, h, n, e]) => {
      const [head, query] = [h as number, n as number];
      const scores = Array.from({ length: tokens }, (_, l) =>
        sum(size, (c) => at(q, 0, head, query, c) * at(k, 0, head, l, c)),
      );
      return sum(patterns, (d) => {
        const found = sum(tokens, (l) => tableEntry(p, side, [head, d], query, l) * (scores[l] as number));
        const place = [head, d] as const;
        return found * sum(tokens, (m) => tableEntry(u, side, place, query, m) * at(v, 0, head, m, e as number));
      });
    },
    16,
  );
}

export const correlations: readonly OpCase[] = [correlation(14, 8), structure(28, 8)];
