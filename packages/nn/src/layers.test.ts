import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { DepthwiseConv, PatchEmbed } from './convolution.ts';
import { depthwiseCost, linearCost, normCost, sequence } from './cost.ts';
import { DropPath } from './DropPath.ts';
import { assertGrid, gridTokens, stridedGrid } from './grid.ts';
import { constant, fanInUniform, truncatedNormal, zeros } from './initializers.ts';
import { Linear, Pointwise } from './Linear.ts';
import { Mlp } from './Mlp.ts';
import type { Module } from './Module.ts';
import { BatchNorm, LayerNorm } from './normalization.ts';
import { plainAttention, SelfAttention, selfAttentionCost } from './SelfAttention.ts';

const rng = () => new Rng(1);

/** Values in [-1, 1] that no permutation leaves alone. */
function sample<T extends tf.Tensor>(shape: readonly number[], seed = 0): T {
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) => Math.sin(1.9 * i + 0.7 + seed)), [...shape]) as T; // biome-ignore format: one formula
}

/** Sets weights to values that differ, under PyTorch's names and layouts, and returns them. */
async function fillWeights(module: Module): Promise<Map<string, number[]>> {
  const dict = await module.stateDict();
  const values = new Map(
    [...dict].map(([name, { shape }], seed) => {
      const size = tf.util.sizeFromShape([...shape]);
      return [name, Array.from({ length: size }, (_, i) => Math.fround(Math.cos(1.3 * i + seed)))] as const;
    }),
  );
  module.loadStateDict(
    new Map([...dict].map(([name, tensor]) => [name, { ...tensor, data: values.get(name) as number[] }])),
  );
  return values;
}

describeOnBackends('layers', () => {
  it('Linear computes x W^T + b with the weight [O, I] of its state dict', async () => {
    using layer = new Linear(3, 2, { rng: rng() });
    layer.loadStateDict(
      new Map([
        ['weight', { dtype: 'float32', shape: [2, 3], data: [1, 2, 3, -1, 0, 1] }],
        ['bias', { dtype: 'float32', shape: [2], data: [10, 20] }],
      ]),
    );
    await expectClose(
      layer.forward(tf.tensor3d([1, 0, 0, 1, 1, 1], [1, 2, 3])),
      tf.tensor3d([11, 19, 16, 20], [1, 2, 2]),
    );
    using bare = new Linear(3, 2, { bias: false, rng: rng() });
    expect([...(await bare.stateDict()).keys()]).toEqual(['weight']);
    expect(bare.parameterCount()).toBe(6);
  });

  it('Pointwise is a 1x1 convolution', async () => {
    using layer = new Pointwise(2, 3, { dimensions: 2, rng: rng() });
    const values = await fillWeights(layer);
    const [weight, bias] = [values.get('weight') as number[], values.get('bias') as number[]];
    const x = [0.5, -1];
    const expected = bias.map((b, o) => b + x.reduce((y, xi, i) => y + xi * (weight[2 * o + i] as number), 0));
    await expectClose(layer.forward(tf.tensor4d(x, [1, 1, 1, 2])), tf.tensor4d(expected, [1, 1, 1, 3]));
  });

  it('LayerNorm normalises the last dimension', async () => {
    using norm = new LayerNorm(2, 0);
    // Two values are -1 and 1 after normalisation.
    await expectClose(norm.forward(tf.tensor2d([1, 5, 4, 3], [2, 2])), [-1, 1, 1, -1]);
    await fillWeights(norm);
    const [w, b] = [Math.cos(0), Math.cos(1)];
    await expectClose(norm.forward(tf.tensor2d([1, 5], [1, 2])), [-w + b, Math.cos(1.3) + Math.cos(2.3)]);
  });

  it('BatchNorm normalises by the batch, and keeps running statistics for evaluation', async () => {
    using norm = new BatchNorm(2, { eps: 0, momentum: 0.25 });
    // Channel 0: 1, 3, 5, 7, mean 4, variance 5 biased, 20/3 unbiased. Channel 1: twice that.
    const x = tf.tensor4d([1, 2, 3, 6, 5, 10, 7, 14], [1, 2, 2, 2]);
    const deviations = [-3, -1, 1, 3].flatMap((d) => [d / Math.sqrt(5), d / Math.sqrt(5)]);
    deviations[1] = -6 / Math.sqrt(20);
    await expectClose(norm.forward(x), deviations);
    await expectClose(norm.runningMean.variable, [0.25 * 4, 0.25 * 8]);
    await expectClose(norm.runningVar.variable, [0.75 + (0.25 * 20) / 3, 0.75 + (0.25 * 80) / 3]);
    norm.forward(x);
    await expectClose(norm.runningMean.variable, [0.75 + 1, 1.5 + 2]);

    const saved = (await norm.stateDict()).get('num_batches_tracked');
    expect(saved).toEqual({ dtype: 'int64', shape: [], data: BigInt64Array.of(2n) });

    norm.eval();
    const [mean, variance] = [1.75, 0.75 * (0.75 + 5 / 3) + 5 / 3];
    await expectClose(norm.forward(tf.tensor2d([3, 3.5], [1, 2])), [(3 - mean) / Math.sqrt(variance), 0]);
    expect(norm.batches.value).toBe(2n);
    await expectClose(norm.runningMean.variable, [1.75, 3.5]);
  });

  it('BatchNorm trains on clips, with its statistics out of the gradient', async () => {
    using norm = new BatchNorm(2);
    await finiteDifference((x) => norm.forward(x as tf.Tensor5D), [sample([1, 2, 1, 2, 2])]);
  });

  it('DropPath drops samples whole and divides the others by the keep probability', async () => {
    const rate = 0.25;
    using drop = new DropPath(rate, rng());
    const x = tf.ones([400, 2, 3]);
    const rows = (await drop.forward(x).array()) as number[][][];
    const first = rows.map((row) => row[0]?.[0] as number);
    for (const [i, row] of rows.entries()) expect(new Set(row.flat())).toEqual(new Set([first[i]]));
    expect(new Set(first.map((value) => Math.fround(value)))).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
    // Four standard deviations of a binomial(400, 1/4).
    const dropped = first.filter((value) => value === 0).length;
    expect(Math.abs(dropped - 100)).toBeLessThan(4 * Math.sqrt((400 * 3) / 16));

    using again = new DropPath(rate, rng());
    await expectClose(again.forward(x), tf.tensor(rows), { tolerance: 0 });
    expect(drop.eval().forward(x)).toBe(x);
    using never = new DropPath(0, rng());
    expect(never.forward(x)).toBe(x);
  });

  it.each([{ kernel: [3, 1] }, { kernel: [3, 3, 1] }])(
    'DepthwiseConv convolves channels, with bias: $kernel',
    async ({ kernel }) => {
      using conv = new DepthwiseConv(2, { kernel, rng: rng() });
      const values = await fillWeights(conv);
      const [weight, bias] = [values.get('weight') as number[], values.get('bias') as number[]];
      const [frames, taps] = kernel.length === 3 ? [2, 3] : [1, 1];
      const x = sample<tf.Tensor5D>([1, frames, 3, 1, 2]);
      const input = (t: number, i: number, c: number) =>
        t < 0 || t >= frames || i < 0 || i >= 3 ? 0 : Math.sin(1.9 * ((t * 3 + i) * 2 + c) + 0.7);
      const expected = Array.from({ length: frames * 3 * 2 }, (_, at) => {
        const [t, i, c] = [Math.floor(at / 6), Math.floor(at / 2) % 3, at % 2];
        let y = bias[c] as number;
        for (let u = 0; u < taps; u++) {
          for (let v = 0; v < 3; v++) {
            y += (weight[(c * taps + u) * 3 + v] as number) * input(t + u - (taps - 1) / 2, i + v - 1, c);
          }
        }
        return y;
      });
      const y = conv.forward(kernel.length === 3 ? x : (tf.squeeze(x, [1]) as tf.Tensor4D));
      expect(y.shape).toEqual(kernel.length === 3 ? [1, 2, 3, 1, 2] : [1, 3, 1, 2]);
      await expectClose(y, expected);
      expect(conv.parameterCount()).toBe(2 * taps * 3 + 2);
    },
  );

  it('PatchEmbed maps patches, then normalises channels', async () => {
    using embed = new PatchEmbed(1, 2, { kernel: [2, 2], rng: rng() });
    embed.loadStateDict(
      new Map([
        ['proj.weight', { dtype: 'float32', shape: [2, 1, 2, 2], data: [1, 2, 3, 4, 0, 0, 0, 1] }],
        ['proj.bias', { dtype: 'float32', shape: [2], data: [0, 1] }],
        ['norm.weight', { dtype: 'float32', shape: [2], data: [2, 3] }],
        ['norm.bias', { dtype: 'float32', shape: [2], data: [5, 7] }],
      ]),
    );
    const y = embed.forward(tf.tensor4d([1, 1, 0, -1, 1, 1, 0, 0], [1, 2, 4, 1]));
    expect(y.shape).toEqual([1, 1, 2, 2]);
    // Before the norm: (10, 2) and (-2, 1): the larger becomes +1, the smaller -1.
    await expectClose(y, [5 + 2, 7 - 3, 5 - 2, 7 + 3], { tolerance: 1e-4 });

    using clips = new PatchEmbed(1, 3, { kernel: [3, 2, 2], temporalStride: 2, temporalPadding: 1, rng: rng() });
    expect(clips.forward(sample<tf.Tensor5D>([1, 4, 4, 2, 1])).shape).toEqual([1, 2, 2, 1, 3]);
    expect((await clips.stateDict()).get('proj.weight')?.shape).toEqual([3, 1, 3, 2, 2]);
  });

  it('Mlp is fc2(gelu(fc1(x))), with weights of either kind', async () => {
    using mlp = new Mlp(1, { hidden: 1, kind: 'linear', rng: rng() });
    const weights = { 'fc1.weight': 2, 'fc1.bias': -1, 'fc2.weight': 3, 'fc2.bias': 0.5 };
    const dict = await mlp.stateDict();
    mlp.loadStateDict(new Map([...dict].map(([name, t]) => [name, { ...t, data: [weights[name as 'fc1.bias']] }])));
    // gelu(2 * 1 - 1) = Phi(1) = 0.8413447461.
    await expectClose(mlp.forward(tf.tensor2d([[1]])), [3 * 0.8413447461 + 0.5]);
    using convolutional = new Mlp(2, { hidden: 4, kind: 3, rng: rng() });
    expect((await convolutional.stateDict()).get('fc1.weight')?.shape).toEqual([4, 2, 1, 1, 1]);
  });

  it('SelfAttention splits qkv into [q | k | v] and those into heads', async () => {
    using attention = new SelfAttention({ dim: 4, heads: 2, rng: rng() });
    const values = await fillWeights(attention);
    const x = sample<tf.Tensor3D>([2, 6, 4]);
    const rows = (await x.array()) as number[][][];
    const affine = (name: string, input: readonly number[], o: number) => {
      const weight = values.get(`${name}.weight`) as number[];
      return (
        (values.get(`${name}.bias`) as number[])[o]! +
        input.reduce((y, v, i) => y + v * weight[o * input.length + i]!, 0)
      );
    };
    const expected = rows.flatMap((tokens) => {
      const qkv = tokens.map((token) => Array.from({ length: 12 }, (_, o) => affine('qkv', token, o)));
      return qkv.flatMap((own) => {
        const mixed = [0, 1].flatMap((head) => {
          const part = (row: number[], which: number) => row.slice(4 * which + 2 * head, 4 * which + 2 * head + 2);
          const scores = qkv.map(
            (other) => part(other, 1).reduce((s, k, e) => s + k * part(own, 0)[e]!, 0) / Math.sqrt(2),
          );
          const total = scores.reduce((s, score) => s + Math.exp(score), 0);
          return [0, 1].map((e) =>
            qkv.reduce((y, other, j) => y + (Math.exp(scores[j]!) / total) * part(other, 2)[e]!, 0),
          );
        });
        return Array.from({ length: 4 }, (_, o) => affine('proj', mixed, o));
      });
    });
    await expectClose(attention.forward(x, [2, 3]), expected);
    await expectClose(attention.forward(x, [1, 2, 3]), expected);
  });

  it('leave their results only', async () => {
    const map = sample<tf.Tensor4D>([2, 2, 2, 4]);
    const clip = sample<tf.Tensor5D>([1, 2, 2, 2, 4]);
    const tokens = sample<tf.Tensor3D>([2, 4, 4]);
    using linear = new Linear(4, 4, { rng: rng() });
    using pointwise = new Pointwise(4, 4, { dimensions: 2, rng: rng() });
    using norm = new LayerNorm(4, 1e-6);
    using batchNorm = new BatchNorm(4);
    using drop = new DropPath(0.5, rng());
    using conv = new DepthwiseConv(4, { kernel: [3, 3, 3], rng: rng() });
    using embed = new PatchEmbed(4, 2, { kernel: [2, 2], rng: rng() });
    using mlp = new Mlp(4, { hidden: 8, kind: 'linear', rng: rng() });
    using attention = new SelfAttention({ dim: 4, heads: 2, rng: rng() });
    await expectNoLeak(() => linear.forward(map));
    await expectNoLeak(() => pointwise.forward(map));
    await expectNoLeak(() => norm.forward(map));
    await expectNoLeak(() => batchNorm.forward(map));
    await expectNoLeak(() => batchNorm.eval().forward(clip));
    await expectNoLeak(() => drop.forward(map));
    await expectNoLeak(() => conv.forward(clip));
    await expectNoLeak(() => embed.forward(map));
    await expectNoLeak(() => mlp.forward(map));
    await expectNoLeak(() => attention.forward(tokens, [2, 2]));
  });
});

describeOnBackends(
  'what layers refuse',
  () => {
    it('heads that do not divide the channels', () => {
      for (const heads of [3, 0, -2, 1.5]) {
        expect(() => new SelfAttention({ dim: 8, heads, rng: rng() })).toThrow(ConfigError);
      }
      expect(() => new SelfAttention({ dim: 8, heads: 3, rng: rng() })).toThrow(
        'heads: expected a positive integer that divides dim = 8, got 3.',
      );
    });

    it('grids that do not hold the tokens', () => {
      using attention = new SelfAttention({ dim: 4, heads: 2, rng: rng() });
      const x = tf.ones([1, 6, 4]) as tf.Tensor3D;
      expect(() => attention.forward(x, [2, 2])).toThrow(ShapeError);
      expect(() => attention.forward(x, [6, 0])).toThrow(ConfigError);
      expect(() => attention.forward(x, [6] as unknown as [number, number])).toThrow(ConfigError);
      expect(() => attention.forward(tf.ones([1, 6, 5]), [2, 3])).toThrow(ShapeError);
    });

    it('rates of DropPath outside [0, 1)', () => {
      for (const rate of [-0.1, 1, Number.NaN]) expect(() => new DropPath(rate, rng())).toThrow(ConfigError);
    });

    it('channels other than the layer has', () => {
      using norm = new LayerNorm(4, 1e-6);
      using conv = new DepthwiseConv(4, { kernel: [3, 3], rng: rng() });
      expect(() => norm.forward(tf.ones([2, 3]))).toThrow(ShapeError);
      expect(() => conv.forward(tf.ones([1, 2, 2, 3]) as tf.Tensor4D)).toThrow(ShapeError);
    });
  },
  { backends: ['cpu'] },
);

describeOnBackends(
  'costs',
  () => {
    it('count the parameters of the modules', () => {
      const built: [params: number, module: Module][] = [
        [linearCost(10, 3, 5).params, new Linear(3, 5, { rng: rng() })],
        [linearCost(10, 3, 5, false).params, new Linear(3, 5, { bias: false, rng: rng() })],
        [depthwiseCost(10, 4, 27).params, new DepthwiseConv(4, { kernel: [3, 3, 3], rng: rng() })],
        [normCost(10, 6).params, new LayerNorm(6, 1e-6)],
        [normCost(10, 6).params, new BatchNorm(6)],
        [selfAttentionCost(8, 2, [2, 3]).params, new SelfAttention({ dim: 8, heads: 2, rng: rng() })],
      ];
      for (const [params, module] of built) expect(module.parameterCount(), module.constructor.name).toBe(params);
    });

    it('count multiply-accumulates and the memory of activations', () => {
      // Tokens N = 6, C = 8, h = 2: 4 N C^2 + 2 N^2 C; q, k, v, y and h maps of N x N, in float32.
      expect(selfAttentionCost(8, 2, [1, 2, 3])).toEqual({
        params: 4 * 64 + 4 * 8,
        macs: 4 * 6 * 64 + 2 * 36 * 8,
        activationBytes: 4 * (4 * 6 * 8 + 2 * 36),
      });
      expect(depthwiseCost(10, 4, 9, false)).toEqual({ params: 36, macs: 360, activationBytes: 320 });
    });

    it('add up along a sequence, but for memory', () => {
      const a = { params: 1, macs: 20, activationBytes: 300 };
      const b = { params: 2, macs: 30, activationBytes: 100 };
      expect(sequence([a, b])).toEqual({ params: 3, macs: 50, activationBytes: 300 });
      expect(sequence([])).toEqual({ params: 0, macs: 0, activationBytes: 0 });
    });

    it('belong to mixers, which make the module that they describe', () => {
      const spec = plainAttention();
      using mixer = spec.create({ dim: 8, heads: 2, gridRank: 2, rng: rng() });
      expect(spec.cost({ dim: 8, heads: 2, grid: [2, 3] })).toEqual(selfAttentionCost(8, 2, [2, 3]));
      expect(mixer.parameterCount()).toBe(selfAttentionCost(8, 2, [2, 3]).params);
    });
  },
  { backends: ['cpu'] },
);

describe('grids', () => {
  it('count positions and shrink in space', () => {
    expect([gridTokens([3, 4]), gridTokens([2, 3, 4])]).toEqual([12, 24]);
    expect(stridedGrid([5, 4], 2)).toEqual([3, 2]);
    expect(stridedGrid([3, 7, 8], 2)).toEqual([3, 4, 4]);
  });

  it('must be filled by the tokens', () => {
    assertGrid(12, [3, 4]);
    expect(() => assertGrid(12, [2, 3, 4])).toThrow(
      'grid: expected as many positions as there are tokens, N = 12, got [2,3,4] = 24 positions. ' +
        'Pass the grid of the token map: [H,W] for images, [T,H,W] for clips.',
    );
    expect(() => assertGrid(2, [1.5, 2])).toThrow(ConfigError);
  });
});

describe('initializers', () => {
  it('are seeded', () => {
    expect(truncatedNormal(rng())([3, 2])).toEqual(truncatedNormal(rng())([3, 2]));
    expect(truncatedNormal(rng())([3, 2])).not.toEqual(truncatedNormal(new Rng(2))([3, 2]));
  });

  it('have the sizes, bounds and deviations that they promise', () => {
    expect(zeros([2, 2])).toEqual(new Float32Array(4));
    expect(constant(3)([2])).toEqual(Float32Array.of(3, 3));
    const bounded = fanInUniform(rng(), 16)([2000]);
    expect(Math.max(...bounded)).toBeLessThanOrEqual(0.25);
    expect(Math.min(...bounded)).toBeLessThan(-0.249);
    const normal = truncatedNormal(rng(), 0.02)([5000]);
    const deviation = Math.sqrt(normal.reduce((sum, x) => sum + x * x, 0) / normal.length);
    expect(Math.abs(deviation - 0.02)).toBeLessThan(4 * (0.02 / Math.sqrt(2 * 5000)));
  });
});
