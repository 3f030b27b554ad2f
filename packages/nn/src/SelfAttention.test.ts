import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { plainAttention, SelfAttention } from './SelfAttention.ts';

describeOnBackends(
  'SelfAttention with prefix tokens',
  () => {
    const tokens = () => tf.randomNormal<tf.Rank.R3>([2, 7, 8], 0, 1, 'float32', 3);

    it('treats them as it treats the others', async () => {
      const options = { dim: 8, heads: 2 };
      using plain = new SelfAttention({ ...options, rng: new Rng(1) });
      using prefixed = new SelfAttention({ ...options, prefixTokens: 1, rng: new Rng(1) });
      for (const { qkv } of [plain, prefixed]) {
        tf.tidy(() => qkv.weight.variable.assign(tf.mul(qkv.weight.variable, 30)));
      }
      await expectNoLeak(async () => {
        const x = tokens();
        const [y, expected] = [prefixed.forward(x, [2, 3]), plain.forward(x, [1, 7])];
        await expectClose(y, expected);
        return [x, y, expected];
      });
    });

    it('refuses tokens that are not as many', () => {
      using layer = new SelfAttention({ dim: 8, heads: 2, prefixTokens: 1, rng: new Rng(1) });
      expect(() => layer.forward(tokens(), [1, 7])).toThrow(ShapeError);
      expect(() => layer.forward(tokens(), [1, 7])).toThrow(/^grid: .*N = 6, got \[1,7\] = 7 positions/);
      expect(() => layer.forward(tf.zeros([2, 7, 4]), [2, 3])).toThrow(
        /^x: expected shape \[B,1\+N,8\], got \[2,7,4\]/,
      );
      const build = (prefixTokens: number) => new SelfAttention({ dim: 8, heads: 2, prefixTokens, rng: new Rng(1) });
      for (const count of [-1, 0.5]) expect(() => build(count)).toThrow(ConfigError);
    });

    it.each([
      [{}, 4 * 64 + 32],
      [{ prefixTokens: 1 }, 4 * 64 + 32],
      [{ qkvBias: false }, 4 * 64 + 8],
    ])('costs what it costs: %j', (options, params) => {
      const spec = plainAttention();
      using mixer = spec.create({ dim: 8, heads: 2, gridRank: 2, rng: new Rng(1), ...options });
      const cost = spec.cost({ dim: 8, heads: 2, grid: [2, 3], ...options });
      const count = 6 + ('prefixTokens' in options ? 1 : 0);
      expect([mixer.parameterCount(), cost.params]).toEqual([params, params]);
      expect(cost.macs).toBe(4 * count * 64 + 2 * count * count * 8);
    });
  },
  { backends: ['wasm'] },
);
