import { ConfigError, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { lisaMaps, tablePictures } from './maps.ts';
import { asTables, optionsOf, problem, tensors } from './testing/problem.ts';
import { reference } from './testing/reference.ts';

const SIZES = {
  padding: 'zero',
  grid: [2, 3],
  batch: 2,
  heads: 2,
  headDim: 2,
  patterns: 3,
  qkNorm: 'l2',
  seed: 4,
} as const;
const QUERIES = [4, 0];

/** Rows of [B, h, N, width] of the chosen queries, [B, h, Q, width]. */
function chosen(x: Float64Array, width: number): Float64Array {
  const rows = x.length / (6 * width);
  return Float64Array.from({ length: rows * QUERIES.length * width }, (_, i) => {
    const [row, at] = [Math.floor(i / (QUERIES.length * width)), i % (QUERIES.length * width)];
    return x[(row * 6 + (QUERIES[Math.floor(at / width)] as number)) * width + (at % width)] as number;
  });
}

describeOnBackends('lisaMaps', () => {
  it('has the patterns and the structure-aware kernel of the formula', async () => {
    const p = problem({ ...SIZES, mode: 'structure' });
    const { patterns, kernel } = reference(p);
    await expectNoLeak(async () => {
      const [q, k, v, ...tables] = tensors(p);
      const maps = lisaMaps(q, k, asTables(p.mode, tables), { ...optionsOf(p), queries: QUERIES });
      expect(maps.patterns?.shape).toEqual([2, 2, 2, 3]);
      expect(maps.attention?.shape).toEqual([2, 2, 2, 6]);
      await expectClose(maps.patterns as tf.Tensor, chosen(patterns, 3));
      await expectClose(maps.kernel, chosen(kernel, 6));
      return [q, k, v, ...tables, ...(Object.values(maps) as tf.Tensor[])];
    });
  });

  it.each(['structure', 'kernelized', 'hadamard'] as const)('sums values to the result: %s', async (mode) => {
    const p = problem({ ...SIZES, mode });
    await expectNoLeak(async () => {
      const [q, k, v, ...tables] = tensors(p);
      const { kernel, ...others } = lisaMaps(q, k, asTables(mode, tables), { ...optionsOf(p), queries: QUERIES });
      const sums = tf.tidy(() => {
        if (mode === 'hadamard') {
          expect(kernel.shape).toEqual([2, 2, 6, 4]);
          return tf.sum(tf.mul(kernel, tf.reshape(v, [2, 1, 6, 4])), 2);
        }
        expect(kernel.shape).toEqual([2, 2, 2, 6]);
        const heads = tf.transpose(tf.reshape(v, [2, 6, 2, 2]), [0, 2, 1, 3]);
        return tf.reshape(tf.transpose(tf.matMul(kernel, heads), [0, 2, 1, 3]), [2, 2, 4]);
      });
      // [B, N, C] has one row of C a token: as [B, 1, N, C].
      await expectClose(sums, chosen(reference(p).y, 4));
      return [q, k, v, ...tables, kernel, ...(Object.values(others) as tf.Tensor[]), sums];
    });
  });

  it.each([[[]], [[6]], [[-1]], [[0.5]]])('refuses the queries %j', (queries) => {
    const p = problem({ ...SIZES, mode: 'structure' });
    const [q, k, , ...tables] = tensors(p);
    expect(() => lisaMaps(q, k, asTables(p.mode, tables), { ...optionsOf(p), queries })).toThrow(ConfigError);
  });
});

describeOnBackends('tablePictures', () => {
  it('puts offset 0 in the middle', async () => {
    const circular = tf.tensor(
      [0, 1, 2, -2, -1].flatMap((a) => [0, 1, -2, -1].map((b) => 10 * a + b)),
      [1, 5, 4],
    );
    await expectNoLeak(async () => {
      const pictures = tablePictures(circular, { grid: [5, 4], padding: 'circular' });
      await expectClose(
        pictures,
        [-2, -1, 0, 1, 2].flatMap((a) => [-2, -1, 0, 1].map((b) => 10 * a + b)),
      );
      return pictures;
    });
    const zero = tf.tensor([1, 2, 3], [1, 3]);
    await expectClose(tablePictures(zero, { grid: [2] }), [1, 2, 3]);
    expect(() => tablePictures(zero, { grid: [3] })).toThrow(ShapeError);
  });
});
