import type { Grid, StateDict } from '@saccade/nn';
import { ConfigError, product, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { dropClassToken, resamplePositions, resizePositionEmbedding } from './positionEmbedding.ts';
import { noise } from './testing/tiny.ts';

/** `F.interpolate` of `torch.arange(8).view(1, 2, 2, 2)` to 4x4, bicubic: what PyTorch's own test expects, channel 0 and 1. */
const PYTORCH_4X4 = [
  [-0.31641, 0.01562, 0.5625, 0.89453, 0.34766, 0.67969, 1.22656, 1.55859],
  [1.44141, 1.77344, 2.32031, 2.65234, 2.10547, 2.4375, 2.98438, 3.31641],
  [3.68359, 4.01562, 4.5625, 4.89453, 4.34766, 4.67969, 5.22656, 5.55859],
  [5.44141, 5.77344, 6.32031, 6.65234, 6.10547, 6.4375, 6.98438, 7.31641],
].flat();

function stateOf(positions: ArrayLike<number>, channels: number, tokens: readonly string[] = []): StateDict {
  const embedding = { dtype: 'float32', shape: [1, positions.length / channels, channels], data: positions };
  const token = { dtype: 'float32', shape: [1, 1, channels], data: new Float32Array(channels) };
  return new Map([...tokens.map((name) => [name, token] as const), ['pos_embed', embedding]]);
}

/** Keys' cubic kernel with a = -0.75, as the piecewise polynomial of its definition. */
function keys(distance: number): number {
  const [x, a] = [Math.abs(distance), -0.75];
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}

/** The formula as one sum over all positions: every position weighs in as often as reads beyond the ends repeat it. */
function direct(values: ArrayLike<number>, from: Grid, to: Grid, channels: number): number[] {
  const weight = (axis: number, i: number, j: number) => {
    const [n, m] = [from[axis] as number, to[axis] as number];
    const position = ((i + 0.5) * n) / m - 0.5;
    const kernel = from.length === 3 && axis === 0 ? (d: number) => Math.max(0, 1 - Math.abs(d)) : keys;
    let sum = 0;
    for (let at = -4; at < n + 4; at++) {
      if (Math.min(Math.max(at, 0), n - 1) === j) sum += kernel(position - at);
    }
    return sum;
  };
  const indices = (grid: Grid) =>
    Array.from({ length: product(grid) }, (_, flat) =>
      grid.map((size, axis) => Math.floor(flat / product(grid.slice(axis + 1))) % size),
    );
  return indices(to).flatMap((target) =>
    Array.from({ length: channels }, (_, c) =>
      indices(from).reduce(
        (sum, source, n) =>
          sum +
          values[n * channels + c]! * target.reduce((w, i, axis) => w * weight(axis, i, source[axis] as number), 1),
        0,
      ),
    ),
  );
}

const CASES: [from: Grid, to: Grid][] = [
  [[2, 2], [4, 4]], // biome-ignore format: a row a case
  [[3, 4], [5, 3]], // biome-ignore format: a row a case
  [[5, 1], [2, 6]], // biome-ignore format: a row a case
  [[4, 3, 2], [7, 2, 5]], // biome-ignore format: a row a case
  [[1, 3, 3], [4, 3, 3]], // biome-ignore format: a row a case
  [[5, 2, 2], [2, 3, 2]], // biome-ignore format: a row a case
];

describe('resizePositionEmbedding', () => {
  it('gives the numbers of PyTorch', async () => {
    const channelsLast = [0, 4, 1, 5, 2, 6, 3, 7];
    const { shape, data } = resizePositionEmbedding(stateOf(channelsLast, 2), [4, 4]).get('pos_embed')!;
    expect(shape).toEqual([1, 16, 2]);
    const [first, second] = [0, 1].map((c) => Array.from(data as Float32Array).filter((_, i) => i % 2 === c));
    await expectClose([...first!, ...second!], PYTORCH_4X4, { tolerance: 1e-6 }); // printed to five decimals
  });

  it.each(CASES)('computes the formula: %j to %j', async (from, to) => {
    const rng = new Rng(1);
    const values = Float32Array.from({ length: product(from) * 3 }, () => rng.normal());
    const { shape, data } = resizePositionEmbedding(stateOf(values, 3), to, { from }).get('pos_embed')!;
    expect(shape).toEqual([1, product(to), 3]);
    await expectClose(data as Float32Array, direct(values, from, to, 3), { tolerance: 1e-6 });
  });

  it('leaves an embedding of that grid as it is, and everything else untouched', () => {
    const values = Float32Array.from({ length: 18 }, (_, i) => Math.sin(i));
    const state = new Map([...stateOf(values, 2), ['head.bias', { dtype: 'float32', shape: [1], data: [7] }]] as const);
    const resized = resizePositionEmbedding(state, [3, 3]);
    expect(resized.get('pos_embed')!.data).toEqual(values);
    expect(resized.get('head.bias')).toBe(state.get('head.bias'));
    expect([...resized.keys()]).toEqual([...state.keys()]);
  });

  it.each([[['cls_token']], [['cls_token', 'dist_token']]])('keeps the rows of %j', async (tokens) => {
    const rows = [...tokens.map((_, i) => 100 + i), 0, 1, 2, 3];
    const { shape, data } = resizePositionEmbedding(stateOf(rows, 1, tokens), [4, 4]).get('pos_embed')!;
    expect(shape).toEqual([1, tokens.length + 16, 1]);
    const values = Array.from(data as Float32Array);
    expect(values.splice(0, tokens.length)).toEqual(tokens.map((_, i) => 100 + i));
    await expectClose(values, PYTORCH_4X4.slice(0, 16), { tolerance: 2e-6 });
  });

  it("gives every frame of a clip the image's vectors", () => {
    const { data } = resizePositionEmbedding(stateOf([9, 0, 1, 2, 3], 1, ['cls_token']), [3, 2, 2]).get('pos_embed')!;
    expect(Array.from(data as Float32Array)).toEqual([9, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
  });

  it('takes values of any type that a file may hold', () => {
    const state = new Map([
      ['pos_embed', { dtype: 'int64', shape: [1, 4, 1], data: BigInt64Array.of(0n, 1n, 2n, 3n) }],
    ]);
    const { dtype, data } = resizePositionEmbedding(state, [2, 2]).get('pos_embed')!;
    expect([dtype, data]).toEqual(['float32', Float32Array.of(0, 1, 2, 3)]);
  });

  // biome-ignore format: rows
  it.each([
    ['no embedding', new Map(), [4, 4], {}, ConfigError, /^state: expected a state dict with pos_embed/],
    ['no square', stateOf([0, 1, 2], 1), [4, 4], {}, ConfigError, /^pos_embed: expected a square number .*got 3.*from/],
    ['another grid', stateOf([0, 1, 2], 1), [4, 4], { from: [2, 2] }, ShapeError, /^from: .*3 positions.*\[2,2\] = 4/],
    ['clips to images', stateOf([0, 1], 1), [4, 4], { from: [2, 1, 1] }, ConfigError, /^to: expected a grid \[T,H,W\]/],
    ['too few values', new Map([['pos_embed', { dtype: 'float32', shape: [1, 4, 2], data: [1] }]]), [4, 4], {}, ShapeError, /^pos_embed: expected shape \[1,N,C\], .*got \[1,4,2\] and 1 values/],
    ['only a class token', stateOf([1], 1, ['cls_token']), [4, 4], {}, ShapeError, /^pos_embed: expected shape \[1,1\+N,C\]/],
    ['rank 2', new Map([['pos_embed', { dtype: 'float32', shape: [4, 1], data: [0, 1, 2, 3] }]]), [4, 4], {}, ShapeError, /got \[4,1\]/],
    ['an impossible grid', stateOf([0, 1, 2, 3], 1), [0, 4], {}, ConfigError, /^grid: .*got \[0,4\]/],
  ] as [string, StateDict, Grid, object, typeof ConfigError, RegExp][])('refuses %s', (_, state, to, options, type, message) => {
    expect(() => resizePositionEmbedding(state, to, options)).toThrow(type);
    expect(() => resizePositionEmbedding(state, to, options)).toThrow(message);
  }); // biome-ignore format: rows
});

describe('dropClassToken', () => {
  it('drops the tokens and their rows', () => {
    const state = dropClassToken(stateOf([5, 6, 7, 8, 0, 1, 2, 3], 2, ['cls_token', 'dist_token']));
    expect([...state.keys()]).toEqual(['pos_embed']);
    expect(state.get('pos_embed')).toEqual({ dtype: 'float32', shape: [1, 2, 2], data: Float32Array.of(0, 1, 2, 3) });
    const without = stateOf([0, 1, 2, 3], 2);
    expect(dropClassToken(without).get('pos_embed')!.data).toEqual(Float32Array.of(0, 1, 2, 3));
  });
});

describeOnBackends('resamplePositions', () => {
  it.each([
    [[2, 3], [4, 2], 1],
    [[2, 2, 2], [3, 1, 3], 0],
  ] as const)('is resizePositionEmbedding on tensors, with a gradient: %j to %j', async (from, to, prefix) => {
    const embedding = noise([1, prefix + product(from), 4]) as tf.Tensor3D;
    await expectNoLeak(async () => {
      const resampled = resamplePositions(embedding, from, to, prefix);
      const state = stateOf(await embedding.data(), 4, prefix === 1 ? ['cls_token'] : []);
      const { shape, data } = resizePositionEmbedding(state, to, { from }).get('pos_embed')!;
      expect(resampled.shape).toEqual(shape);
      await expectClose(resampled, data as Float32Array);
      return [resampled];
    });
    const one = tf.slice(embedding, [0, 0, 0], [-1, -1, 1]);
    await finiteDifference((x) => resamplePositions(x as tf.Tensor3D, from, to, prefix), [one]);
    tf.dispose([embedding, one]);
  });
});
