import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { lisaAttention } from './lisaAttention.ts';
import { lisaMaps } from './maps.ts';
import { asTables, optionsOf, type Problem, problem, run, tensors, values } from './testing/problem.ts';

/** Of one sample and one head, so that a kernel's row is all that a result is summed by. */
const SIZES = { batch: 1, heads: 1, headDim: 4, patterns: 2, padding: 'zero', qkNorm: 'l2', seed: 3 } as const;

/** Tokens whose results are compared: corners, and others. */
function chosenOf({ tokens }: Problem): number[] {
  return [0, 5, Math.floor(tokens / 3), Math.floor(tokens / 2) + 7, tokens - 1];
}

/** Their results, from their kernels over all keys: pair by pair, but for these tokens alone. */
function byPairs(p: Problem): Promise<Float32Array> {
  return values(() => {
    const [q, k, v, ...tables] = tensors(p);
    const { kernel } = lisaMaps(q, k, asTables(p.mode, tables), { ...optionsOf(p), queries: chosenOf(p) });
    if (p.mode === 'hadamard') return tf.sum(tf.mul(kernel, tf.reshape(v, [1, 1, p.tokens, p.channels])), 2);
    return tf.matMul(tf.reshape(kernel, [-1, p.tokens]), tf.reshape(v, [p.tokens, p.channels]));
  });
}

async function byTransforms(p: Problem, compute: 'dft' | 'fft'): Promise<number[]> {
  const y = await run(p, { compute });
  return chosenOf(p).flatMap((n) => [...y.subarray(n * p.channels, (n + 1) * p.channels)]);
}

describeOnBackends(
  'lisaAttention on large grids',
  () => {
    it.each([
      ['structure', [28, 28]],
      ['structure', [56, 56]],
      ['kernelized', [56, 56]],
      ['hadamard', [56, 56]],
      ['structure', [4, 14, 14]],
      ['structure', [3136]],
    ] as const)('is what all pairs give: %s on %j', async (mode, grid) => {
      for (const padding of ['zero', 'circular'] as const) {
        const p = problem({ ...SIZES, mode, padding, grid });
        const expected = await byPairs(p);
        for (const compute of ['dft', 'fft'] as const) await expectClose(await byTransforms(p, compute), expected);
      }
    });

    it('is computed in parts where mode kernelized has many maps', async () => {
      // 32 channels times 33 at 3136 tokens are more numbers than are correlated at once.
      const p = problem({ ...SIZES, mode: 'kernelized', headDim: 32, grid: [56, 56] });
      await expectClose(await byTransforms(p, 'fft'), await byPairs(p));
    });

    it('leaves nothing behind', async () => {
      for (const mode of ['structure', 'kernelized', 'hadamard'] as const) {
        const p = problem({ ...SIZES, mode, grid: [18, 17] });
        for (const compute of ['dense', 'dft', 'fft', 'auto'] as const) {
          await expectNoLeak(() => {
            const [q, k, v, ...tables] = tensors(p);
            const y = lisaAttention(q, k, v, asTables(mode, tables), { ...optionsOf(p), compute });
            return [q, k, v, ...tables, y];
          });
        }
      }
    });
  },
  { backends: ['wasm'] },
);
