import fc from 'fast-check';
import type { GridPadding } from '../gridCorrelationProblem.ts';
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

/** The structure-aware kernel written out: `y_n = sum_m K1[n, m] v_m` with K1 = sum_d (sum_m' (q_n . k_m') P_d[m' - n]) U_d[m - n]. */
export function structure(q: Dense, k: Dense, v: Dense, P: Dense, U: Dense, p: Problem): Dense {
  const tokens = product(p.grid);
  const scores = fill([p.batch, p.heads, tokens, p.patterns], (...index) => {
    const [b, head, n, d] = index as [number, number, number, number];
    return sum(tokens, (m) => {
      const similarity = sum(p.channels, (e) => at(q, b, head, n, e) * at(k, b, head, m, e));
      return similarity * entry(P, p, [head, d], m, n);
    });
  });
  return fill(tokensOf(p), (...index) => {
    const [b, head, n, e] = index as [number, number, number, number];
    return sum(tokens, (m) => {
      const weight = sum(p.patterns, (d) => at(scores, b, head, n, d) * entry(U, p, [head, d], m, n));
      return weight * at(v, b, head, m, e);
    });
  });
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
