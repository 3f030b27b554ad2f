import fc from 'fast-check';
import type { GridCorrelationMethod, GridPadding } from '../gridCorrelationProblem.ts';
import { product } from '../shape.ts';
import { at, type Dense, fill, sum } from './reference.ts';

// Correlations with tables of relative positions, from their definitions as loops.

/** Sizes of a correlation, for tests. */
export interface Problem {
  readonly grid: readonly number[];
  readonly padding: GridPadding;
  readonly batch: number;
  readonly heads: number;
  readonly patterns: number;
  readonly channels: number;
}

export const tokensOf = ({ batch, heads, grid, channels }: Problem) => [batch, heads, product(grid), channels];
export const entriesOf = ({ grid, padding }: Problem) => grid.map((size) => (padding === 'zero' ? 2 * size - 1 : size));
export const tableOf = (p: Problem) => [p.heads, p.patterns, ...entriesOf(p)];

/** The entry of a table [a, b, ...offsets] for the offset m - n of two tokens. */
export function entry(table: Dense, p: Problem, [a, b]: readonly [number, number], m: number, n: number): number {
  const index: number[] = [];
  let [restM, restN] = [m, n];
  for (let axis = p.grid.length - 1; axis >= 0; axis--) {
    const size = p.grid[axis] as number;
    const offset = (restM % size) - (restN % size);
    index.unshift(p.padding === 'zero' ? offset + size - 1 : (offset + size) % size);
    restM = Math.floor(restM / size);
    restN = Math.floor(restN / size);
  }
  return at(table, a, b, ...index);
}

/** `sum over m of table[head, d][m - n] x[b, head, m, e]` for all b, head, d, n, e. */
export function correlation(x: Dense, table: Dense, p: Problem): Dense {
  const tokens = product(p.grid);
  return fill([p.batch, p.heads, p.patterns, tokens, p.channels], (...index) => {
    const [b, head, d, n, e] = index as [number, number, number, number, number];
    return sum(tokens, (m) => entry(table, p, [head, d], m, n) * at(x, b, head, m, e));
  });
}

/** Its gradients: `dx[m] = sum over d, n of table[d][m - n] dy[d, n]`, `dtable[d][o] = sum of dy[d, n] x[m] over m - n = o`. */
export function correlationGradients(dy: Dense, x: Dense, table: Dense, p: Problem): [dx: Dense, dTable: Dense] {
  const tokens = product(p.grid);
  const dx = fill(tokensOf(p), (...index) => {
    const [b, head, m, e] = index as Four;
    return sum(p.patterns, (d) => sum(tokens, (n) => entry(table, p, [head, d], m, n) * at(dy, b, head, d, n, e)));
  });
  // Where each entry of the table is used: found by asking a table of entry numbers.
  const entries = product(entriesOf(p));
  const numbers = fill([1, 1, ...entriesOf(p)], (...index) => {
    return index.slice(2).reduce((number, i, axis) => number * (entriesOf(p)[axis] as number) + i, 0);
  });
  const data = new Float64Array(p.heads * p.patterns * entries);
  for (let head = 0; head < p.heads; head++) {
    for (let d = 0; d < p.patterns; d++) {
      for (let n = 0; n < tokens; n++) {
        for (let m = 0; m < tokens; m++) {
          const place = (head * p.patterns + d) * entries + entry(numbers, p, [0, 0], m, n);
          const products = sum(p.batch, (b) => sum(p.channels, (e) => at(dy, b, head, d, n, e) * at(x, b, head, m, e)));
          data[place] = (data[place] as number) + products;
        }
      }
    }
  }
  return [dx, { shape: tableOf(p), data }];
}

type Four = [number, number, number, number];
type Five<T> = readonly [T, T, T, T, T];

/** q, k, v, P, U -> `y_n = sum_m K1[n, m] v_m`, K1 = sum_d (sum_m' (q_n . k_m') P_d[m' - n]) U_d[m - n]: the kernel written out. */
export function structure([q, k, v, P, U]: Five<Dense>, p: Problem): Dense {
  const tokens = product(p.grid);
  const scores = fill([p.batch, p.heads, tokens, p.patterns], (...index) => {
    const [b, head, n, d] = index as Four;
    return sum(tokens, (m) => {
      const similarity = sum(p.channels, (e) => at(q, b, head, n, e) * at(k, b, head, m, e));
      return similarity * entry(P, p, [head, d], m, n);
    });
  });
  return fill(tokensOf(p), (...index) => {
    const [b, head, n, e] = index as Four;
    return sum(tokens, (m) => {
      const weight = sum(p.patterns, (d) => at(scores, b, head, n, d) * entry(U, p, [head, d], m, n));
      return weight * at(v, b, head, m, e);
    });
  });
}

/** The gradients of q, k, v, P and U, by the chain rule over `S_d = q . (P_d * k)` and `y = sum of S_d (U_d * v)`. */
export function structureGradients(dy: Dense, [q, k, v, P, U]: Five<Dense>, p: Problem): Dense[] {
  const [found, placed] = [correlation(k, P, p), correlation(v, U, p)];
  const dot = (a: Dense, maps: Dense, [b, head, d, n]: Four) =>
    sum(p.channels, (e) => at(a, b, head, n, e) * at(maps, b, head, d, n, e));
  const scaled = (a: Dense, other: Dense, maps: Dense) =>
    fill(found.shape, (...index) => {
      const [b, head, d, n, e] = index as unknown as Five<number>;
      return at(a, b, head, n, e) * dot(other, maps, [b, head, d, n]);
    });
  const dq = fill(tokensOf(p), (...index) => {
    const [b, head, n, e] = index as Four;
    return sum(p.patterns, (d) => dot(dy, placed, [b, head, d, n]) * at(found, b, head, d, n, e));
  });
  const [dk, dP] = correlationGradients(scaled(q, dy, placed), k, P, p);
  const [dv, dU] = correlationGradients(scaled(dy, q, found), v, U, p);
  return [dq, dk, dv, dP, dU];
}

const upTo = (max: number) => fc.integer({ min: 1, max });

/** Small problems of every kind: odd, even and single positions along an axis, one to three axes, few and many channels. */
export const problems: fc.Arbitrary<Problem> = fc
  .constantFrom<[number, number]>([1, 17], [2, 7], [3, 4])
  .chain(([axes, longest]) =>
    fc.record({
      grid: fc.array(upTo(longest), { minLength: axes, maxLength: axes }),
      padding: fc.constantFrom<GridPadding>('zero', 'circular'),
      batch: upTo(2),
      heads: upTo(2),
      patterns: fc.constantFrom(1, 2, 5),
      channels: fc.constantFrom(1, 3, 8, 9),
    }),
  );

export function problem(sizes: Pick<Problem, 'grid'> & Partial<Problem>): Problem {
  return { padding: 'zero', batch: 2, heads: 2, patterns: 2, channels: 2, ...sizes };
}

/** Sizes for gradients: each has something that the others lack. */
export const CASES: readonly [string, Problem][] = [
  ['a line', problem({ grid: [5] })],
  ['a circle of 7', problem({ grid: [7], padding: 'circular', heads: 1 })],
  ['a circle of 11, which is no fast length', problem({ grid: [11], padding: 'circular', heads: 1, batch: 1 })],
  ['a map', problem({ grid: [3, 4], heads: 1, patterns: 3 })],
  ['a torus', problem({ grid: [2, 6], padding: 'circular', heads: 1 })],
  ['a map of one column', problem({ grid: [4, 1], channels: 3, batch: 1 })],
  ['a clip', problem({ grid: [2, 3, 2], heads: 1, patterns: 1 })],
  ['a clip that closes on itself', problem({ grid: [2, 2, 3], padding: 'circular', batch: 1, patterns: 1 })],
  ['one token', problem({ grid: [1, 1] })],
];

/**
 * How many problems to try. Few on a GPU: a software driver takes seconds for each, most of them to compile shaders; and
 * its fast transforms are for closed axes of powers of two only.
 */
export function runsOn(backend: string, method: GridCorrelationMethod): fc.Parameters<[Problem]> {
  if (backend !== 'webgpu') return { numRuns: 30, seed: 41 };
  const closed = method === 'fft' ? [4, 1, 8] : [2, 3, 2];
  const examples: [Problem][] = [
    [problem({ grid: [3, 4], patterns: 3, channels: 3 })],
    [problem({ grid: closed, padding: 'circular', heads: 1 })],
  ];
  return { numRuns: examples.length, examples };
}
