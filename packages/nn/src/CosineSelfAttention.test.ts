import { ConfigError, Rng, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { CosineSelfAttention, cosineAttention, cosineOperands } from './CosineSelfAttention.ts';

function values(size: number, seed: number): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: size }, () => rng.normal());
}

const [HEADS, TOKENS, SIZE] = [2, 3, 4];
const heads = (seed: number) => tf.tensor4d(values(HEADS * TOKENS * SIZE, seed), [1, HEADS, TOKENS, SIZE]);
const logScales = (...logs: number[]) => tf.tensor3d(logs, [logs.length, 1, 1]);

describeOnBackends('cosineOperands', () => {
  it('has products that are scaled cosines, of 100 at the most', async () => {
    const [q, k] = [values(HEADS * TOKENS * SIZE, 1), values(HEADS * TOKENS * SIZE, 2)];
    const scales = [7, 100]; // The second head states 120.
    const expected = scales.flatMap((scale, h) =>
      Array.from({ length: TOKENS * TOKENS }, (_, at) => {
        const row = (x: Float32Array, n: number) => x.subarray((h * TOKENS + n) * SIZE, (h * TOKENS + n + 1) * SIZE);
        const [a, b] = [row(q, Math.floor(at / TOKENS)), row(k, at % TOKENS)];
        return (scale * a.reduce((sum, x, c) => sum + x * b[c]!, 0)) / (Math.hypot(...a) * Math.hypot(...b));
      }),
    );
    await expectNoLeak(async () => {
      const inputs = [heads(1), heads(2), logScales(Math.log(7), Math.log(120))] as const;
      const { queries, keys } = cosineOperands(...inputs);
      const products = tf.matMul(queries, keys, false, true);
      await expectClose(products, expected);
      return [...inputs, queries, keys, products];
    });
  });

  it('has the gradients of finite differences, none beyond the largest scale', async () => {
    const products = (...[q, k, logs]: tf.Tensor[]) => {
      const { queries, keys } = cosineOperands(q as tf.Tensor4D, k as tf.Tensor4D, logs as tf.Tensor);
      return [queries, keys];
    };
    await finiteDifference(products, [heads(1), heads(2), logScales(0.5, 1)], { names: ['q', 'k', 'logitScale'] });
    const gradient = tf.grad((logs) => tf.sum(products(heads(1), heads(2), logs)[0]!))(logScales(0.5, 5));
    const [inside, beyond] = await gradient.data();
    expect(Math.abs(inside!)).toBeGreaterThan(1e-3);
    expect(beyond).toBe(0);
  });

  it('refuses other scales', () => {
    expect(() => cosineOperands(heads(1), heads(2), logScales(1))).toThrow(ShapeError);
    expect(() => cosineOperands(heads(1), heads(2), logScales(1))).toThrow(/^logitScale: expected shape \[2,1,1\]/);
  });
});

describeOnBackends(
  'CosineSelfAttention',
  () => {
    const tokens = () => tf.tensor3d(values(2 * 6 * 8, 5), [2, 6, 8]);
    const build = () => new CosineSelfAttention({ dim: 8, heads: 2, rng: new Rng(1) });

    it('does not see how long queries and keys are, unlike values', async () => {
      using layer = build();
      const x = tokens();
      const y = layer.forward(x, [2, 3]);
      const longer = tf.tensor1d(Array.from({ length: 24 }, (_, c) => (c < 16 ? 3 : 1)));
      await expectNoLeak(async () => {
        for (const { variable } of [layer.qkv.weight, layer.qkv.bias!]) {
          tf.tidy(() => variable.assign(tf.mul(variable, longer)));
        }
        const same = layer.forward(x, [2, 3]);
        await expectClose(same, y);
        tf.tidy(() => layer.qkv.weight.variable.assign(tf.mul(layer.qkv.weight.variable, 2)));
        const other = layer.forward(x, [2, 3]);
        const twice = tf.mul(y, 2);
        await expectClose(other, twice);
        return [same, other, twice];
      });
    });

    it('has the state that its docstring says, and a scale of 10 that does not decay', async () => {
      using layer = build();
      const state = await layer.stateDict();
      expect([...state].map(([name, { shape }]) => [name, ...shape])).toEqual([
        ['logit_scale', 2, 1, 1],
        ['qkv.weight', 24, 8],
        ['qkv.bias', 24],
        ['proj.weight', 8, 8],
        ['proj.bias', 8],
      ]);
      await expectClose(tf.exp(layer.logitScale.variable), [10, 10]);
      expect(layer.logitScale.decay).toBe(false);
      const spec = cosineAttention();
      expect(spec.cost({ dim: 8, heads: 2, grid: [2, 3] }).params).toBe(layer.parameterCount());
    });

    it('refuses a wrong grid, wrong heads, and use after dispose', () => {
      const layer = build();
      expect(() => layer.forward(tokens(), [3, 3])).toThrow(ShapeError);
      layer.dispose();
      expect(() => layer.forward(tokens(), [2, 3])).toThrow(SaccadeError);
      expect(() => new CosineSelfAttention({ dim: 8, heads: 3, rng: new Rng(1) })).toThrow(ConfigError);
    });
  },
  { backends: ['wasm'] },
);
