import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { lisaAttention } from './lisaAttention.ts';

const [BATCH, TOKENS, CHANNELS, HEADS] = [2, 6, 4, 2] as const;
const options = { grid: [2, 3], heads: HEADS } as const;

/** Values of [B, N, C], row-major. */
function values(seed: number): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: BATCH * TOKENS * CHANNELS }, () => rng.normal());
}

function tokens(seed: number): tf.Tensor3D {
  return tf.tensor3d(values(seed), [BATCH, TOKENS, CHANNELS]);
}

/** The formula of the docstring, sum by sum. */
function byHand(q: Float32Array, k: Float32Array, v: Float32Array, scale: number): Float32Array {
  const y = new Float32Array(q.length);
  const size = CHANNELS / HEADS;
  for (let b = 0; b < BATCH; b++) {
    for (let head = 0; head < HEADS; head++) {
      const at = (token: number, e: number) => (b * TOKENS + token) * CHANNELS + head * size + e;
      for (let i = 0; i < TOKENS; i++) {
        const weights = Array.from({ length: TOKENS }, (_, j) => {
          let score = 0;
          for (let e = 0; e < size; e++) score += q[at(i, e)]! * k[at(j, e)]!;
          return Math.exp(scale * score);
        });
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let e = 0; e < size; e++) {
          y[at(i, e)] = weights.reduce((sum, weight, j) => sum + (weight / total) * v[at(j, e)]!, 0);
        }
      }
    }
  }
  return y;
}

describeOnBackends('lisaAttention', () => {
  it.each([[undefined], [0.3]])('computes its formula with scale %s', async (scale) => {
    const expected = byHand(values(1), values(2), values(3), scale ?? (CHANNELS / HEADS) ** -0.5);
    const given = scale === undefined ? options : { ...options, scale };
    await expectNoLeak(async () => {
      const inputs = [tokens(1), tokens(2), tokens(3)] as const;
      const y = lisaAttention(...inputs, given);
      await expectClose(y, expected);
      return [...inputs, y];
    });
  });

  it('has the gradients of finite differences', async () => {
    // Every element costs two runs, which are slow on a software GPU: three tokens are enough.
    const inputs = [1, 2, 3].map((seed) => tf.slice(tokens(seed), 0, [1, 3, CHANNELS]));
    const f = (...[q, k, v]: tf.Tensor[]) =>
      lisaAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, { ...options, grid: [1, 3] });
    await finiteDifference(f, inputs, { names: ['q', 'k', 'v'] });
  });

  it('refuses what does not fit', () => {
    const x = tokens(1);
    const short = tf.zeros<tf.Rank.R3>([BATCH, TOKENS - 1, CHANNELS]);
    expect(() => lisaAttention(x, short, x, options)).toThrow(ShapeError);
    expect(() => lisaAttention(x, x, x, { ...options, grid: [2, 2] })).toThrow(ShapeError);
    expect(() => lisaAttention(x, x, x, { ...options, heads: 3 })).toThrow(ConfigError);
  });
});
