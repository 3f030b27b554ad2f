import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Grid, gridTokens } from './grid.ts';
import type { MixerContext, MixerCostContext, MixerSpec } from './mixer.ts';
import { plainAttention, SelfAttention } from './SelfAttention.ts';
import { mergeWindows, partitionWindows, type WindowedMixer, windowed } from './windowed.ts';

/** Tokens that say where they are: 100 b + their number on the grid, once for each channel with its sign. */
function numbered(batch: number, grid: Grid): tf.Tensor3D {
  const tokens = gridTokens(grid);
  const values = Array.from({ length: batch * tokens }, (_, i) => 100 * Math.floor(i / tokens) + (i % tokens) + 1);
  return tf.tensor3d(
    values.flatMap((value) => [value, -value]),
    [batch, tokens, 2],
  );
}

function noise(shape: [number, number, number], seed = 1): tf.Tensor3D {
  const rng = new Rng(seed);
  return tf.tensor3d(
    Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => rng.normal()),
    shape,
  );
}

const context = (change: Partial<MixerContext> = {}): MixerContext => ({
  dim: 8,
  heads: 2,
  gridRank: 2,
  rng: new Rng(3),
  ...change,
});

/** Gives biases and weights a size that shows. */
function stir(module: WindowedMixer | SelfAttention): void {
  const rng = new Rng(5);
  for (const { variable } of module.namedParameters().values()) {
    const values = Float32Array.from({ length: variable.size }, () => 0.4 * rng.normal());
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
}

describeOnBackends('windows', () => {
  it('cut a 3x5 grid into 2x2 windows, by hand', async () => {
    //  1  2 | 3  4 | 5  .
    //  6  7 | 8  9 | 10 .
    //  ----------------
    //  11 12| 13 14| 15 .
    //  .  . | .  . | .  .
    const windows = partitionWindows(numbered(2, [3, 5]), [3, 5], 2);
    expect(windows.shape).toEqual([12, 4, 2]);
    const expected = [
      [1, 2, 6, 7],
      [3, 4, 8, 9],
      [5, 0, 10, 0],
      [11, 12, 0, 0],
      [13, 14, 0, 0],
      [15, 0, 0, 0],
    ];
    const second = expected.map((row) => row.map((value) => (value === 0 ? 0 : value + 100)));
    const values = [...expected, ...second].flat().flatMap((value) => [value, -value]);
    await expectClose(windows, tf.tensor3d(values, [12, 4, 2]));
  });

  it('of a clip span its frames, by hand', async () => {
    const windows = partitionWindows(numbered(1, [2, 2, 3]), [2, 2, 3], [1, 2]);
    const expected = [
      [1, 2, 7, 8],
      [3, 0, 9, 0],
      [4, 5, 10, 11],
      [6, 0, 12, 0],
    ];
    const values = expected.flat().flatMap((value) => [value, -value]);
    await expectClose(windows, tf.tensor3d(values, [4, 4, 2]));
  });

  it.each([
    ['images', [4, 3], 2],
    ['images in one window that is larger', [2, 3], [5, 4]],
    ['clips', [2, 3, 4], [2, 3]],
    ['clips of whole windows', [3, 2, 4], 2],
  ] as const)('are put back in their places, with a gradient: %s', async (_, grid, window) => {
    const x = noise([2, gridTokens(grid), 2]);
    await expectNoLeak(async () => {
      const windows = partitionWindows(x, grid, window);
      const back = mergeWindows(windows, grid, window);
      await expectClose(back, x);
      return [windows, back];
    });
    // A factor for each place in a window, so that a token's gradient says through which place it went.
    const places = partitionWindows(noise([2, gridTokens(grid), 2], 7), grid, window);
    await finiteDifference(
      (tokens) =>
        tf.tidy(() =>
          mergeWindows(tf.mul(partitionWindows(tokens as tf.Tensor3D, grid, window), places), grid, window),
        ),
      [x],
    );
  });

  it('with attention inside compute each window alone', async () => {
    const [grid, window] = [
      [3, 5],
      [2, 3],
    ] as const;
    using mixer = windowed(plainAttention(), window).create(context()) as WindowedMixer;
    stir(mixer);
    const x = noise([2, 15, 8]);
    const y = mixer.forward(x, grid);
    const map = tf.reshape(x, [2, 3, 5, 8]);
    const result = tf.reshape(y, [2, 3, 5, 8]);
    for (const [top, left, rows, columns] of [
      [0, 0, 2, 3],
      [0, 3, 2, 2],
      [2, 0, 1, 3],
      [2, 3, 1, 2],
    ] as const) {
      const part = tf.slice(map, [0, top, left, 0], [2, rows, columns, 8]);
      // Zeros stand where the grid ends, and are attended to.
      const filled = tf.pad(part, [
        [0, 0],
        [0, 2 - rows],
        [0, 3 - columns],
        [0, 0],
      ]);
      const alone = mixer.mixer.forward(tf.reshape(filled, [2, 6, 8]), [2, 3]);
      const expected = tf.slice(tf.reshape(alone, [2, 2, 3, 8]), [0, 0, 0, 0], [2, rows, columns, 8]);
      await expectClose(tf.slice(result, [0, top, left, 0], [2, rows, columns, 8]), expected);
    }
  });

  it.each([
    ['an image', 2, [3, 4], [3, 4]],
    ['a clip', 3, [2, 2, 3], [2, 3]],
  ] as const)('of the size of the grid change nothing: %s', async (_, gridRank, grid, window) => {
    using plain = new SelfAttention(context());
    stir(plain);
    using mixer = windowed(plainAttention(), window).create(context({ gridRank }));
    mixer.loadStateDict(await plain.stateDict());
    const x = noise([2, gridTokens(grid), 8]);
    await expectClose(mixer.forward(x, grid), plain.forward(x, grid));
  });

  it('larger than the grid let the zeros around it take part', async () => {
    using mixer = windowed(plainAttention(), 3).create(context()) as WindowedMixer;
    stir(mixer);
    const x = noise([1, 4, 8]);
    const [y, full] = [mixer.forward(x, [2, 2]), mixer.mixer.forward(x, [2, 2])];
    await expect(expectClose(y, full, { tolerance: 1e-2 })).rejects.toThrow();
  });
});

describeOnBackends(
  'a windowed mixer',
  () => {
    it('puts any tokens back where they were', async () => {
      const side = fc.integer({ min: 1, max: 7 });
      const grids = fc.oneof(fc.tuple(side, side), fc.tuple(fc.integer({ min: 1, max: 3 }), side, side));
      await fc.assert(
        fc.asyncProperty(grids, fc.tuple(side, side), async (grid, window) => {
          const x = numbered(2, grid);
          const back = tf.tidy(() => mergeWindows(partitionWindows(x, grid, window), grid, window));
          expect(await back.data()).toEqual(await x.data());
          tf.dispose([x, back]);
        }),
        { numRuns: 40 },
      );
    });

    it('has the state dict, modes and end of its mixer', async () => {
      const before = tf.memory().numTensors;
      const mixer = windowed(plainAttention(), 2).create(context());
      const names = ['qkv.weight', 'qkv.bias', 'proj.weight', 'proj.bias'];
      expect([...(await mixer.stateDict()).keys()]).toEqual(names);
      expect([...mixer.namedParameters().keys()]).toEqual(names);
      expect(mixer.parameterCount()).toBe(4 * 64 + 4 * 8);
      const inner = (mixer as WindowedMixer).mixer;
      expect([...mixer.namedModules('attn')].map(([name]) => name)).toEqual(['attn', 'attn', 'attn.qkv', 'attn.proj']);
      mixer.eval();
      expect(inner.training).toBe(false);
      mixer.dispose();
      expect(tf.memory().numTensors).toBe(before);
      expect(() => mixer.forward(tf.zeros([1, 4, 8]), [2, 2])).toThrow(/used after dispose/);
    });

    it('costs its mixer once for each window, padding included', () => {
      const [mixer, plain] = [windowed(plainAttention(), 14), plainAttention()];
      const cost = mixer.cost({ dim: 64, heads: 1, grid: [50, 84] });
      const one = plain.cost({ dim: 64, heads: 1, grid: [14, 14] });
      // 4 x 6 windows cover 56 x 84.
      expect(cost).toEqual({ params: one.params, macs: 24 * one.macs, activationBytes: 24 * one.activationBytes });
      const [clip, frames] = [
        mixer.cost({ dim: 64, heads: 1, grid: [8, 28, 14] }),
        plain.cost({ dim: 64, heads: 1, grid: [8, 14, 14] }),
      ];
      expect(clip.macs).toBe(2 * frames.macs);
      expect(mixer.name).toBe('attention in 14x14 windows');
    });

    it('tells its mixer for which grid it is built', () => {
      const seen: MixerContext[] = [];
      const spy: MixerSpec = {
        ...plainAttention(),
        create: (built) => {
          seen.push(built);
          return plainAttention().create(built);
        },
      };
      const mixer = windowed(spy, [2, 3]);
      mixer.create(context()).dispose();
      mixer.create(context({ grid: [8, 8] })).dispose();
      mixer.create(context({ gridRank: 3, grid: [4, 8, 8] })).dispose();
      mixer.create(context({ gridRank: 3 })).dispose();
      // On images the window is known by itself; on clips its frames are those of the grid.
      expect(seen.map(({ grid }) => grid)).toEqual([[2, 3], [2, 3], [4, 2, 3], undefined]);
    });

    it('costs what its mixer costs for the windows that it was built for', () => {
      const seen: MixerCostContext[] = [];
      const spy: MixerSpec = {
        ...plainAttention(),
        cost: (asked) => {
          seen.push(asked);
          return plainAttention().cost(asked);
        },
      };
      const costs = windowed(spy, [2, 3]);
      costs.cost({ dim: 8, heads: 1, grid: [3, 8, 8], weightsGrid: [2, 8, 8] });
      costs.cost({ dim: 8, heads: 1, grid: [8, 8] });
      expect(seen.map(({ grid, weightsGrid }) => [grid, weightsGrid])).toEqual([
        [
          [3, 2, 3],
          [2, 2, 3],
        ],
        [[2, 3], undefined],
      ]);
    });

    it('refuses what cannot be', () => {
      const x = tf.zeros([1, 6, 8]) as tf.Tensor3D;
      using mixer = windowed(plainAttention(), 2).create(context());
      const cases: [() => unknown, new (...args: never[]) => Error, RegExp][] = [
        [() => windowed(plainAttention(), 0), ConfigError, /^size: expected an integer >= 1, got 0/],
        [() => windowed(plainAttention(), [2, 1.5]), ConfigError, /^size: .*got 1\.5/],
        [
          () => windowed(plainAttention(), [2, 2, 2] as unknown as [number, number]),
          ConfigError,
          /^size: expected one side or \[height, width\], got \[2,2,2\]/,
        ],
        [
          () => windowed(plainAttention(), 2).create(context({ prefixTokens: 1 })),
          ConfigError,
          /^prefixTokens: expected 0 in a windowed mixer, got 1/,
        ],
        [() => mixer.forward(x, [2, 2]), ShapeError, /^grid: expected as many positions as there are tokens, N = 6/],
        [() => partitionWindows(x, [2, 0], 2), ConfigError, /^grid: /],
        [() => mergeWindows(x, [2, 3], 2), ShapeError, /^windows: expected shape \[B,4,C\], got \[1,6,8\]/],
        [() => mergeWindows(x, [4, 3], [2, 3]), ShapeError, /^windows: expected a multiple of 2 windows, 2 x 1/],
        [() => mergeWindows(x, [0, 3], 2), ConfigError, /^grid: /],
      ];
      const before = tf.memory().numTensors;
      for (const [call, type, message] of cases) {
        expect(call).toThrow(type);
        expect(call).toThrow(message);
      }
      expect(tf.memory().numTensors).toBe(before);
    });
  },
  { backends: ['wasm'] },
);
