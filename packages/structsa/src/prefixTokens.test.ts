import { type Grid, SelfAttention } from '@saccade/nn';
import { ConfigError, product, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { structureMaps } from './maps.ts';
import { StructSelfAttention, structSA } from './StructSelfAttention.ts';
import { attendInParts, type StructFilter, structAttention } from './structAttention.ts';
import { describeOnPaths } from './testing/paths.ts';
import { centredDelta, normal } from './testing/problem.ts';

const [HEADS, SIZE, DETECTORS] = [2, 3, 2];
const CHANNELS = HEADS * SIZE;

interface Inputs {
  readonly q: tf.Tensor3D;
  readonly k: tf.Tensor3D;
  readonly v: tf.Tensor3D;
  readonly convK: StructFilter;
  readonly convV: StructFilter;
}

/** Normal numbers for `prefix` tokens before those of the grid; kernels of 3 along every axis. */
function inputs(grid: Grid, prefix: number, batch = 1): Inputs {
  const rng = new Rng(7);
  const tensor = <T>(shape: number[], std = 1) => tf.tensor(normal(rng, product(shape), std), shape) as T;
  const tokens = () => tensor<tf.Tensor3D>([batch, prefix + product(grid), CHANNELS]);
  const filter = () => tensor<StructFilter>([...grid.map(() => 3), CHANNELS, DETECTORS], 0.4);
  return { q: tokens(), k: tokens(), v: tokens(), convK: filter(), convV: filter() };
}

/** One sample on an image grid, as loops in float64: the prefix tokens are keys and values of their own. */
async function reference({ q, k, v, convK, convV }: Inputs, grid: Grid, prefix: number, stride: number) {
  const [Q, K, V, U, W] = (await Promise.all([q, k, v, convK, convV].map((x) => x.data()))) as Float32Array[];
  const [height, width] = grid as [number, number];
  const entries: { key: number[]; value: number[] }[] = [];
  const rows = (x: Float32Array, n: number) => Array.from(x.subarray(n * CHANNELS, (n + 1) * CHANNELS));
  for (let p = 0; p < prefix; p++) entries.push({ key: rows(K!, p), value: rows(V!, p) });
  const window = (x: Float32Array, filter: Float32Array, row: number, column: number, d: number) =>
    Array.from({ length: CHANNELS }, (_, c) => {
      let sum = 0;
      for (let tap = 0; tap < 9; tap++) {
        const [y, z] = [row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1];
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        sum += x[(prefix + y * width + z) * CHANNELS + c]! * filter[(tap * CHANNELS + c) * DETECTORS + d]!;
      }
      return sum;
    });
  for (let row = 0; row < height; row += stride) {
    for (let column = 0; column < width; column += stride) {
      for (let d = 0; d < DETECTORS; d++) {
        entries.push({ key: window(K!, U!, row, column, d), value: window(V!, W!, row, column, d) });
      }
    }
  }
  return Array.from({ length: prefix + height * width }, (_, i) => {
    const query = rows(Q!, i);
    return query.map((_, c) => {
      const own = [...Array(SIZE).keys()].map((e) => Math.floor(c / SIZE) * SIZE + e);
      const scores = entries.map(({ key }) => own.reduce((sum, e) => sum + query[e]! * key[e]!, 0) / Math.sqrt(SIZE));
      const weights = scores.map(Math.exp);
      const total = weights.reduce((a, b) => a + b);
      return entries.reduce((sum, { value }, j) => sum + (weights[j]! / total) * value[c]!, 0);
    });
  }).flat();
}

describeOnPaths('structAttention with prefix tokens', () => {
  it.each([
    [1, 1],
    [2, 2],
  ])('gives each one entry in the joint softmax: P = %i, stride %i', async (prefixTokens, stride) => {
    const grid = [3, 4] as const;
    const x = inputs(grid, prefixTokens);
    const expected = await reference(x, grid, prefixTokens, stride);
    await expectNoLeak(async () => {
      const y = structAttention(x.q, x.k, x.v, x.convK, x.convV, { grid, heads: HEADS, stride, prefixTokens });
      expect(y.shape).toEqual([1, prefixTokens + 12, CHANNELS]);
      await expectClose(y, expected);
      return [y];
    });
    tf.dispose(Object.values(x));
  });

  it('has its gradients', async () => {
    const { q, k, v, convK, convV } = inputs([2, 2], 1);
    const options = { grid: [2, 2], heads: HEADS, prefixTokens: 1 } as const;
    await finiteDifference(
      (k, v) => structAttention(q, k as tf.Tensor3D, v as tf.Tensor3D, convK, convV, options),
      [k, v],
      { tolerance: 2e-2 },
    );
    tf.dispose([q, k, v, convK, convV]);
  });

  it('computes the same when a batch goes in parts', async () => {
    const grid = [2, 2, 3] as const;
    const x = inputs(grid, 1, 3);
    const options = { grid, heads: HEADS, prefixTokens: 1 };
    const one = 4 * CHANNELS * (12 * DETECTORS + 1);
    const [whole, parts, tight] = [undefined, 2 * one, 2 * one - 1].map((limit) =>
      attendInParts(x.q, x.k, x.v, x.convK, x.convV, options, limit),
    );
    await expectClose(parts!, whole!);
    await expectClose(tight!, whole!);
    tf.dispose([whole!, parts!, tight!, ...Object.values(x)]);
  });
});

describeOnBackends(
  'StructSelfAttention with prefix tokens',
  () => {
    it('with centred deltas and one detector is plain attention', async () => {
      using plain = new SelfAttention({ dim: CHANNELS, heads: HEADS, prefixTokens: 1, rng: new Rng(1) });
      using layer = new StructSelfAttention({ dim: CHANNELS, heads: HEADS, detectors: 1, prefixTokens: 1 });
      tf.tidy(() => plain.qkv.weight.variable.assign(tf.mul(plain.qkv.weight.variable, 40)));
      layer.loadStateDict(await plain.stateDict(), { strict: false });
      for (const { weight } of [layer.convK, layer.convV]) {
        tf.tidy(() => weight.variable.assign(tf.tensor(centredDelta([3, 3], CHANNELS, 1), weight.variable.shape)));
      }
      const { q } = inputs([3, 4], 1);
      await expectClose(layer.forward(q, [3, 4]), plain.forward(q, [3, 4]));
    });

    it('shows in its maps what the prefix tokens leave', async () => {
      const [grid, queries] = [[3, 4] as const, [0, 7]];
      const { q, k, v, convK, convV } = inputs(grid, 1);
      const options = { grid, heads: HEADS, prefixTokens: 1 };
      const { attention, merged } = structureMaps(q, k, convK, convV, { ...options, queries });
      const y = structAttention(q, k, v, convK, convV, options);
      // y_ic = sum_l merged_ilc v_lc + (1 - what the grid gets) v of the class token
      const left = tf.sub(1, tf.sum(attention, [3, 4])); // [1, h, Q]
      const perChannel = tf.reshape(tf.tile(tf.reshape(left, [HEADS, 1, 2]), [1, SIZE, 1]), [CHANNELS, 2]);
      const [first, rest] = tf.split(v, [1, 12], 1) as [tf.Tensor3D, tf.Tensor3D];
      const ofGrid = tf.sum(tf.mul(merged, tf.reshape(rest, [1, 1, 12, CHANNELS])), 2);
      const ofToken = tf.mul(tf.transpose(perChannel), tf.reshape(first, [1, CHANNELS]));
      const expected = tf.add(tf.reshape(ofGrid, [2, CHANNELS]), ofToken);
      const rows = tf.gather(tf.reshape(y, [13, CHANNELS]), queries.map((query) => query + 1)); // biome-ignore format: one row
      await expectClose(rows, expected);
      expect(Math.min(...(await left.data()))).toBeGreaterThan(0);
    });

    it('hands maps of the grid to its recorder', () => {
      using layer = new StructSelfAttention({ dim: CHANNELS, heads: HEADS, detectors: 2, prefixTokens: 1 });
      const shapes: number[][] = [];
      layer.recorder = { queries: [11], receive: (maps) => void shapes.push(maps.attention.shape, maps.merged.shape) };
      layer.forward(inputs([3, 4], 1).q, [3, 4]);
      expect(shapes).toEqual([[1, HEADS, 1, 12, 2], [1, 1, 12, CHANNELS]]); // biome-ignore format: one row
    });

    it('costs what it costs', () => {
      const spec = structSA({ detectors: 3, stride: 2 });
      const options = { dim: CHANNELS, heads: HEADS, prefixTokens: 1, qkvBias: false };
      using layer = spec.create({ ...options, gridRank: 2, rng: new Rng(1) });
      const cost = spec.cost({ ...options, grid: [3, 4] });
      expect(layer.parameterCount()).toBe(cost.params);
      // 13 queries, 4 strided positions: 13 rows of projections, 2 * 4 convolved sets of 3, 13 * (1 + 4 * 3) products twice.
      expect(cost.macs).toBe(13 * 4 * CHANNELS ** 2 + 18 * CHANNELS * 3 * 4 + 2 * 13 * 13 * CHANNELS);
      expect(spec.takesPrefixTokens).toBe(true);
    });

    it('refuses a number that cannot be, and tokens that are not as many', () => {
      const { q, k, v, convK, convV } = inputs([3, 4], 1);
      const attend = (prefixTokens: number) =>
        structAttention(q, k, v, convK, convV, { grid: [3, 4], heads: HEADS, prefixTokens });
      for (const count of [-1, 0.5]) expect(() => attend(count)).toThrow(ConfigError);
      for (const count of [0, 2, 14]) expect(() => attend(count)).toThrow(ShapeError);
      expect(() => attend(2)).toThrow(/^grid: .*N = 11, got \[3,4\] = 12 positions/);
      const build = (prefixTokens: number) => new StructSelfAttention({ dim: 4, heads: 2, prefixTokens });
      expect(() => build(-1)).toThrow(/^prefixTokens: expected an integer >= 0, got -1/);
      using layer = new StructSelfAttention({ dim: CHANNELS, heads: HEADS, prefixTokens: 1 });
      expect(() => layer.forward(q, [1, 13])).toThrow(ShapeError);
      const maps = () => structureMaps(q, k, convK, convV, { grid: [3, 4], heads: HEADS, queries: [0] });
      expect(maps).toThrow(ShapeError);
    });
  },
  { backends: ['wasm'] },
);
