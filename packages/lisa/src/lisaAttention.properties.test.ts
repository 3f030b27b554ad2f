import { product, Rng } from '@saccade/tensor-ops';
import { describeClose, describeOnBackends, expectClose } from '@saccade/vitest-preset';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { centreIndex, tableShape } from './tables.ts';
import {
  mirrored,
  normal,
  type Problem,
  problem,
  problems,
  run,
  shapeOfTable,
  shifted,
  takeTokens,
} from './testing/problem.ts';

const SIZES = {
  mode: 'structure',
  padding: 'zero',
  grid: [3, 4],
  batch: 1,
  heads: 2,
  headDim: 3,
  patterns: 3,
  qkNorm: 'l2',
  seed: 7,
} as const;

describeOnBackends(
  'LiSA',
  () => {
    const holds = (drawn: fc.Arbitrary<Problem>, property: (p: Problem) => Promise<void>) =>
      fc.assert(fc.asyncProperty(drawn, property), { numRuns: 20, seed: 1 });
    const structure = (fixed: Partial<Problem> = {}) => problems({ mode: 'structure', ...fixed });

    it('is linear in v, and without norm in q and k', () =>
      holds(problems({ qkNorm: 'none' }), async (p) => {
        // Neither q nor k of mode kernelized: they go through phi.
        const names = p.mode === 'kernelized' ? (['v'] as const) : (['q', 'k', 'v'] as const);
        for (const name of names) {
          const other = normal(new Rng(8), p[name].length);
          const [y, yOther] = [await run(p), await run({ ...p, [name]: other })];
          const mixed = p[name].map((x, i) => 2 * x - 0.5 * (other[i] as number));
          await expectClose(
            await run({ ...p, [name]: mixed }),
            y.map((x, i) => 2 * x - 0.5 * (yOther[i] as number)),
            { tolerance: 2e-5 },
          );
        }
      }));

    it('is linear in P and in U, and in the table of mode hadamard', () =>
      holds(fc.oneof(structure(), problems({ mode: 'hadamard' })), async (p) => {
        for (const which of p.tables.keys()) {
          const other = normal(new Rng(9), (p.tables[which] as Float32Array).length, p.tokens ** -0.5);
          const swap = (table: Float32Array) => ({ ...p, tables: p.tables.with(which, table) });
          const [y, yOther] = [await run(p), await run(swap(other))];
          const mixed = (p.tables[which] as Float32Array).map((x, i) => 2 * x - 0.5 * (other[i] as number));
          await expectClose(
            await run(swap(mixed)),
            y.map((x, i) => 2 * x - 0.5 * (yOther[i] as number)),
            { tolerance: 2e-5 },
          );
        }
      }));

    it('does not care about the order of the patterns, nor about factors that cancel between P and U', () =>
      holds(structure(), async (p) => {
        const y = await run(p);
        const offsets = product(tableShape(p.grid, p.padding));
        const turn = (table: Float32Array) =>
          table.map((_, i) => {
            const [row, o] = [Math.floor(i / offsets), i % offsets];
            const [head, d] = [Math.floor(row / p.patterns), row % p.patterns];
            return table[(head * p.patterns + ((d + 1) % p.patterns)) * offsets + o] as number;
          });
        await expectClose(await run({ ...p, tables: p.tables.map(turn) }), y, { tolerance: 2e-5 });
        const scaled = p.tables.map((table, which) =>
          table.map((x, i) => x * (2 + (Math.floor(i / offsets) % p.patterns)) ** (which === 0 ? 1 : -1)),
        );
        await expectClose(await run({ ...p, tables: scaled }), y, { tolerance: 2e-5 });
      }));

    it('with D = 1 and deltas weighs each value by its own key', () =>
      holds(structure({ patterns: 1 }), async (drawn) => {
        const p = { ...drawn, qkNorm: 'none' as const, tables: [delta(drawn), delta(drawn)] };
        const expected = p.v.map((value, i) => {
          const start = i - (i % p.headDim);
          let score = 0;
          for (let e = start; e < start + p.headDim; e++) score += (p.q[e] as number) * (p.k[e] as number);
          return score * value;
        });
        await expectClose(await run(p), expected, { tolerance: 2e-5 });
      }));

    it('with P = U = 1 is the sum of all keys on all values', () =>
      holds(structure({ patterns: 1 }), async (drawn) => {
        const p = { ...drawn, qkNorm: 'none' as const, tables: drawn.tables.map((table) => table.map(() => 1)) };
        const [keys, values] = [tokenSums(p, p.k), tokenSums(p, p.v)];
        const expected = p.q.map((_, i) => {
          const [sample, channel] = [Math.floor(i / (p.tokens * p.channels)), i % p.channels];
          const [start, base] = [i - (i % p.headDim), sample * p.channels + channel - (channel % p.headDim)];
          let score = 0;
          for (let e = 0; e < p.headDim; e++) score += (p.q[start + e] as number) * (keys[base + e] as number);
          return score * (values[sample * p.channels + channel] as number);
        });
        await expectClose(await run(p), expected, { tolerance: 5e-5 });
      }));

    it('in circular mode moves with its tokens, around the corner', () =>
      holds(problems({ padding: 'circular' }), async (p) => {
        const y = await run(p);
        for (const [axis, size] of p.grid.entries()) {
          const order = shifted(p.grid, axis, 1 + (p.seed % size));
          const move = (x: Float32Array) => takeTokens(x, p, order);
          await expectClose(await run({ ...p, q: move(p.q), k: move(p.k), v: move(p.v) }), move(y), {
            tolerance: 2e-5,
          });
        }
      }));

    it('with zero padding moves with what stands on a background of nothing', async () => {
      const p = problem({ ...SIZES, grid: [5, 6], qkNorm: 'none' });
      // Content in the upper left quarter alone, then one row down and two columns right.
      const inside = (x: Float32Array) =>
        x.map((value, i) => {
          const n = Math.floor(i / p.channels);
          return Math.floor(n / 6) < 3 && n % 6 < 3 ? value : 0;
        });
      const content = { ...p, q: inside(p.q), k: inside(p.k), v: inside(p.v) };
      const move = (x: Float32Array) => takeTokens(takeTokens(x, p, shifted(p.grid, 0, 1)), p, shifted(p.grid, 1, 2));
      const moved = { ...p, q: move(content.q), k: move(content.k), v: move(content.v) };
      await expectClose(await run(moved), move(await run(content)));
    });

    it('with zero padding is the circular mode of a grid with enough nothing around', async () => {
      const p = problem({ ...SIZES, grid: [3, 4] });
      const grid = [5, 7] as const;
      const place = (x: Float32Array) => {
        const wide = new Float32Array(5 * 7 * p.channels);
        for (let n = 0; n < 12; n++) {
          const at = (Math.floor(n / 4) * 7 + (n % 4)) * p.channels;
          wide.set(x.subarray(n * p.channels, (n + 1) * p.channels), at);
        }
        return wide;
      };
      // Offset o of the table stands at index o mod S of the wide one.
      const wrap = (table: Float32Array) =>
        Float32Array.from({ length: table.length }, (_, i) => {
          const [row, a, b] = [Math.floor(i / 35), Math.floor((i % 35) / 7), i % 7];
          return table[row * 35 + ((a + 2) % 5) * 7 + ((b + 3) % 7)] as number;
        });
      const wide = {
        ...p,
        grid,
        tokens: 35,
        padding: 'circular' as const,
        q: place(p.q),
        k: place(p.k),
        v: place(p.v),
        tables: p.tables.map(wrap),
      };
      const y = await run(wide);
      const cut = Float32Array.from({ length: 12 * p.channels }, (_, i) => {
        const n = Math.floor(i / p.channels);
        return y[(Math.floor(n / 4) * 7 + (n % 4)) * p.channels + (i % p.channels)] as number;
      });
      await expectClose(cut, await run(p));
    });

    it('mirrors with its tokens and tables along every axis', () =>
      holds(problems(), async (p) => {
        const y = await run(p);
        for (const axis of p.grid.keys()) {
          const mirror = (x: Float32Array) => takeTokens(x, p, mirrored(p.grid, axis));
          const shape = tableShape(p.grid, p.padding);
          // Offset o becomes -o: index j becomes 2S - 2 - j, or -j mod S.
          const order =
            p.padding === 'zero' ? mirrored(shape, axis) : composed(shifted(shape, axis, 1), mirrored(shape, axis));
          const size = product(shape);
          const flip = (table: Float32Array) =>
            table.map((_, i) => table[i - (i % size) + (order[i % size] as number)] as number);
          const image = { ...p, q: mirror(p.q), k: mirror(p.k), v: mirror(p.v), tables: p.tables.map(flip) };
          await expectClose(await run(image), mirror(y), { tolerance: 2e-5 });
        }
      }));

    it('kernelized: gives constant values back, stays in their range, does not see the size of R', () =>
      holds(problems({ mode: 'kernelized' }), async (p) => {
        const constant = p.v.map((_, i) => (i % p.channels) + 1);
        await expectClose(await run({ ...p, v: constant }), constant);
        const y = await run(p);
        const perSample = p.tokens * p.channels;
        for (let c = 0; c < p.channels; c++) {
          for (let start = 0; start < y.length; start += perSample) {
            const column = (x: Float32Array) =>
              x.subarray(start, start + perSample).filter((_, i) => i % p.channels === c);
            const [least, most] = [Math.min(...column(p.v)), Math.max(...column(p.v))];
            const slack = 1e-5 * (1 + Math.max(Math.abs(least), Math.abs(most)));
            for (const value of column(y)) {
              expect(value).toBeGreaterThanOrEqual(least - slack);
              expect(value).toBeLessThanOrEqual(most + slack);
            }
          }
        }
        await expectClose(await run({ ...p, tables: p.tables.map((r) => r.map((x) => 7 * x)) }), y);
      }));

    it('kernelized with R = 1 is linear attention', () =>
      holds(problems({ mode: 'kernelized', qkNorm: 'none', heads: 1, batch: 1 }), async (drawn) => {
        const p = { ...drawn, tables: drawn.tables.map((r) => r.map(() => 1)) };
        const { tokens, channels } = p;
        const phi = (x: Float32Array) => Float64Array.from(x, (t) => (t > 0 ? t + 1 : Math.exp(t)));
        const [q, k] = [phi(p.q), phi(p.k)];
        const [state, sum] = [new Float64Array(channels * channels), new Float64Array(channels)];
        for (let m = 0; m < tokens; m++) {
          for (let a = 0; a < channels; a++) {
            const key = k[m * channels + a] as number;
            sum[a] = (sum[a] as number) + key;
            for (let b = 0; b < channels; b++) {
              const at = a * channels + b;
              state[at] = (state[at] as number) + key * (p.v[m * channels + b] as number);
            }
          }
        }
        const expected = p.v.map((_, i) => {
          const [n, b] = [Math.floor(i / channels), i % channels];
          let [above, below] = [0, 0];
          for (let a = 0; a < channels; a++) {
            const query = q[n * channels + a] as number;
            above += query * (state[a * channels + b] as number);
            below += query * (sum[a] as number);
          }
          return above / below;
        });
        await expectClose(await run(p), expected);
      }));

    it('hadamard with a delta is the product of q, k and v', () =>
      holds(problems({ mode: 'hadamard', qkNorm: 'none' }), async (drawn) => {
        const p = { ...drawn, tables: [delta(drawn)] };
        await expectClose(
          await run(p),
          p.v.map((value, i) => (p.q[i] as number) * (p.k[i] as number) * value),
        );
      }));

    it('sees what it should: the sign of offsets, which table is which, the order of the axes', async () => {
      const p = problem({ ...SIZES, grid: [4, 4] });
      const y = await run(p);
      const turned = p.tables.map((table) => table.map((_, i) => table[i - (i % 49) + 48 - (i % 49)] as number));
      const transposed = p.tables.map((table) =>
        table.map((_, i) => table[i - (i % 49) + ((i % 49) % 7) * 7 + Math.floor((i % 49) / 7)] as number),
      );
      for (const tables of [turned, transposed, [...p.tables].reverse()]) {
        expect(describeClose(await run({ ...p, tables }), y).error).toBeGreaterThan(0.15);
      }
      expect(describeClose(await run({ ...p, qkNorm: 'none' }), y).error).toBeGreaterThan(0.15);
    });

    it('treats the samples of a batch alone', async () => {
      for (const mode of ['structure', 'kernelized', 'hadamard'] as const) {
        const [one, two] = [problem({ ...SIZES, mode }), problem({ ...SIZES, mode, seed: 8 })];
        const join = (a: Float32Array, b: Float32Array) => Float32Array.of(...a, ...b);
        const both = {
          ...one,
          batch: 2,
          q: join(one.q, two.q),
          k: join(one.k, two.k),
          v: join(one.v, two.v),
        };
        await expectClose(await run(both), join(await run(one), await run({ ...two, tables: one.tables })));
      }
    });
  },
  { backends: ['cpu', 'wasm'] },
);

/** A table that is 1 at offset 0, in every row. */
function delta(p: Problem): Float32Array {
  const offsets = product(tableShape(p.grid, p.padding));
  const centre = centreIndex(p.grid, p.padding);
  return Float32Array.from({ length: product(shapeOfTable(p)) }, (_, i) => (i % offsets === centre ? 1 : 0));
}

/** The sum over the tokens of [B, N, C], [B, C]. */
function tokenSums(p: Problem, x: Float32Array): Float64Array {
  const sums = new Float64Array(p.batch * p.channels);
  x.forEach((value, i) => {
    const at = Math.floor(i / (p.tokens * p.channels)) * p.channels + (i % p.channels);
    sums[at] = (sums[at] as number) + value;
  });
  return sums;
}

/** Position i comes from position `second[first[i]]`. */
function composed(first: readonly number[], second: readonly number[]): number[] {
  return first.map((i) => second[i] as number);
}
