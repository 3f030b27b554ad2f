import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { createBackbone } from './Backbone.ts';
import { ConvStem, halvingConv2d } from './convStem.ts';
import { type BackboneConfig, backboneCost } from './index.ts';
import { noise, take } from './testing/tiny.ts';
import { uniformerConfig } from './uniformer.ts';

/** The formula as loops: x [B, H, W, I], weight [3, 3, I, O]. */
function reference(x: number[][][][], weight: number[][][][], bias: number[]): number[][][][] {
  const [height, width] = [x[0]!.length, x[0]![0]!.length];
  const range = (count: number) => Array.from({ length: count }, (_, i) => i);
  return x.map((image) =>
    range(Math.ceil(height / 2)).map((i) =>
      range(Math.ceil(width / 2)).map((j) =>
        bias.map((b, o) => {
          let sum = b;
          for (const u of range(3)) {
            for (const v of range(3)) {
              const pixel = image[2 * i + u - 1]?.[2 * j + v - 1];
              pixel?.forEach((value, c) => {
                sum += value * weight[u]![v]![c]![o]!;
              });
            }
          }
          return sum;
        }),
      ),
    ),
  );
}

describeOnBackends('halvingConv2d', () => {
  it.each([
    ['even sizes', [1, 4, 2, 2]],
    ['odd sizes', [2, 3, 1, 2]],
  ] as const)('computes its formula, with gradients: %s', async (_, shape) => {
    const x = noise(shape) as tf.Tensor4D;
    const weight = noise([3, 3, 2, 2], 2) as tf.Tensor4D;
    const bias = noise([2], 3) as tf.Tensor1D;
    const expected = reference(
      (await x.array()) as number[][][][],
      (await weight.array()) as number[][][][],
      (await bias.array()) as number[],
    );
    await expectNoLeak(async () => {
      const y = halvingConv2d(x, weight, bias);
      await expectClose(y, expected.flat(3));
      return y;
    });
    await finiteDifference(
      (...inputs) => halvingConv2d(...(inputs as [tf.Tensor4D, tf.Tensor4D, tf.Tensor1D])),
      [x, weight, bias],
    );
  });
});

const tinyPlus = (): BackboneConfig => {
  const { stages, ...config } = uniformerConfig('s_plus');
  const small = stages.map((stage, s) => ({ ...stage, dim: [8, 8, 16, 16][s]!, depth: [1, 0, 1, 1][s]!, headDim: 8 }));
  return { ...config, stages: small, numClasses: 5 };
};

describeOnBackends(
  'overlapping patches',
  () => {
    it('have the names and shapes of the public code', async () => {
      const state = await createBackbone(tinyPlus()).stateDict();
      const shapes = [...state].flatMap(([name, { shape }]) => (name.startsWith('patch_embed') ? [[name, shape]] : []));
      const norm = (name: string, channels: number) => [
        ...['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [channels]]),
        [`${name}.num_batches_tracked`, []],
      ];
      const conv = (name: string, outputs: number, inputs: number) => [
        [`${name}.weight`, [outputs, inputs, 3, 3]],
        [`${name}.bias`, [outputs]],
      ];
      expect(shapes).toEqual([
        ...conv('patch_embed1.proj.0', 4, 3),
        ...norm('patch_embed1.proj.1', 4),
        ...conv('patch_embed1.proj.3', 8, 4),
        ...norm('patch_embed1.proj.4', 8),
        ...[2, 3, 4].flatMap((s) => [
          ...conv(`patch_embed${s}.proj.0`, s === 2 ? 8 : 16, s === 4 ? 16 : 8),
          ...norm(`patch_embed${s}.proj.1`, s === 2 ? 8 : 16),
        ]),
      ]);
    });

    it('are convolution, norm, GELU, convolution, norm', async () => {
      using stem = new ConvStem(3, 4, { halvings: 2, rng: new Rng(1) });
      const x = noise([2, 6, 8, 3]) as tf.Tensor4D;
      const { convs, norms } = stem.eval().proj;
      norms.forEach(({ runningMean, runningVar }, i) => {
        runningMean.variable.assign(tf.fill(runningMean.variable.shape, 0.1 * (i + 1)));
        runningVar.variable.assign(tf.fill(runningVar.variable.shape, 0.5 + i));
      });
      const weights = (i: number) =>
        [convs[i]!.weight.variable, convs[i]!.bias.variable] as unknown as [tf.Tensor4D, tf.Tensor1D];
      const normal = (map: tf.Tensor, i: number) =>
        tf.div(tf.sub(map, 0.1 * (i + 1)), Math.sqrt(0.5 + i + 1e-5)) as tf.Tensor4D;
      const first = normal(halvingConv2d(x, ...weights(0)), 0);
      // x Phi(x), Phi the normal distribution.
      const gelu = tf.mul(first, tf.mul(0.5, tf.add(1, tf.erf(tf.div(first, Math.SQRT2))))) as tf.Tensor4D;
      await expectClose(stem.forward(x), normal(halvingConv2d(gelu, ...weights(1)), 1));
    });

    it.each([
      [[2, 64, 32], [[16, 8], [8, 4], [4, 2], [2, 1]]], // biome-ignore format: a row a case
      [[1, 45, 71], [[12, 18], [6, 9], [3, 5], [2, 3]]], // biome-ignore format: a row a case
    ])('halve begun patches too: %j', async ([batch, height, width], grids) => {
      const model = createBackbone(tinyPlus());
      const x = noise([batch!, height!, width!, 3]);
      expect(model.forwardIntermediates(x).map((map) => map.shape.slice(1, 3))).toEqual(grids);
      const logits = await take(model.forward(x));
      expect(logits).toHaveLength(5 * batch!);
      expect(model.parameterCount()).toBe(backboneCost(model.config, [height!, width!]).params);
      const { grads } = tf.variableGrads(
        () => tf.sum(model.forward(x)) as tf.Scalar,
        [...model.namedParameters().values()].map(({ variable }) => variable),
      );
      const stem = model.namedParameters().get('patch_embed1.proj.0.weight')!.variable;
      expect(grads[stem.name]?.shape).toEqual([3, 3, 3, 4]);
      model.dispose();
    });

    it('cost what their convolutions cost', () => {
      // One stage without blocks: 3x3 convolutions 3 -> 4 on 23x36 and 4 -> 8 on 12x18, a norm each, and the tail.
      const config = {
        gridRank: 2,
        numClasses: 2,
        stages: [{ dim: 8, depth: 0, patch: { kernel: [4, 4], overlap: true } }],
      } as const;
      const { params, macs } = backboneCost(config, [45, 71]);
      expect(params).toBe(27 * 4 + 4 + 8 + 36 * 8 + 8 + 16 + 16 + 8 * 2 + 2);
      expect(macs).toBe(23 * 36 * 27 * 4 + 12 * 18 * 36 * 8 + 8 * 2);
    });

    it('refuse what they cannot do', () => {
      const stage = { dim: 6, depth: 0 };
      const build = (patch: object, change: object = {}) =>
        createBackbone({ gridRank: 2, stages: [{ ...stage, patch, ...change }] } as unknown as BackboneConfig);
      const cases: [() => unknown, new (...args: never[]) => Error, RegExp][] = [
        [
          () => build({ kernel: [3, 3], overlap: true }),
          ConfigError,
          /^stages\[0\]\.patch\.kernel: .*p = 2, 4, 8.*\[3,3\]/,
        ],
        [() => build({ kernel: [4, 2], overlap: true }), ConfigError, /^stages\[0\]\.patch\.kernel: /],
        [() => build({ kernel: [1, 1], overlap: true }), ConfigError, /^stages\[0\]\.patch\.kernel: /],
        [
          () => build({ kernel: [8, 8], overlap: true }),
          ConfigError,
          /a p of which p \/ 2 divides dim = 6, got \[8,8\]/,
        ],
        [
          () => createBackbone(uniformerConfig('s_plus', { gridRank: 3 })),
          ConfigError,
          /^stages\[0\]\.patch\.overlap: expected false for clips/,
        ],
        [
          () => halvingConv2d(tf.zeros([1, 4, 4, 3]), tf.zeros([3, 3, 2, 1]), tf.zeros([1])),
          ShapeError,
          /^x: expected shape \[B,H,W,2\]/,
        ],
        [
          () => halvingConv2d(tf.zeros([1, 4, 4, 2]), tf.zeros([5, 5, 2, 1]), tf.zeros([1])),
          ConfigError,
          /^weight: expected a kernel of 3x3, got \[5,5\]/,
        ],
      ];
      for (const [call, type, message] of cases) {
        expect(call).toThrow(type);
        expect(call).toThrow(message);
      }
    });
  },
  { backends: ['wasm'] },
);
