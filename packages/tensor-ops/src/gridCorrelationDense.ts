import * as tf from '@tensorflow/tfjs-core';
import type { Correlator, Signal } from './gridCorrelationExplicit.ts';
import { type GridProblem, offsetIndex } from './gridCorrelationProblem.ts';
import { rawMatMul, transposeLast } from './matMul.ts';
import { product, sizeAt } from './shape.ts';

/**
 * Correlation by matrices: `y = A x`, `A[n, m] = table[m - n]` [h, N, N], one pattern at a time. The reference of the other
 * methods, and the fastest for few tokens. Inside, tokens are [h, N, B, c].
 */
export function denseCorrelator(problem: GridProblem): Correlator {
  const tokens = product(problem.grid);
  const entries = product(problem.offsets);
  const index = tf.tensor1d(gatherIndex(problem), 'int32');
  const matrix = (x: tf.Tensor) => tf.reshape(x, [sizeAt(x.shape, 0), tokens, -1]);
  const apply = (a: tf.Tensor, x: tf.Tensor) => tf.reshape(rawMatMul(a, matrix(x)), x.shape);
  return {
    enter: (x) => tf.transpose(x, [1, 2, 0, 3]),
    leave: (x) => tf.transpose(x, [2, 0, 1, 3]),
    analyse: (x) => [tf.clone(x)],
    synthesise: ([x]) => tf.clone(x as tf.Tensor4D),
    patterns: (table) =>
      tf.unstack(tf.reshape(table, [sizeAt(table.shape, 0), -1, entries]), 1).map((pattern) => {
        const gathered = tf.gather(pattern, index, 1);
        return [tf.reshape(gathered, [-1, tokens, tokens])];
      }),
    correlate: ([x], [a]) => [apply(a as tf.Tensor, x as tf.Tensor)],
    convolve: ([y], [a]) => [apply(transposeLast(a as tf.Tensor), y as tf.Tensor)],
    cross: ([dy], [x]) => [rawMatMul(matrix(dy as tf.Tensor), transposeLast(matrix(x as tf.Tensor)))],
    tableGradient: (parts: readonly Signal[], shape) => {
      const gradients = parts.map(([part]) => {
        const columns = tf.transpose(tf.reshape(part as tf.Tensor, [-1, tokens * tokens]));
        return tf.transpose(tf.unsortedSegmentSum(columns, index, entries));
      });
      return tf.reshape(tf.stack(gradients, 1), [...shape]);
    },
  };
}

/** Where a flat table has the offset m - n, for all n and, faster, m. */
function gatherIndex({ grid, padding, offsets }: GridProblem): Int32Array {
  let index = new Int32Array(1);
  for (const [axis, size] of grid.entries()) {
    const before = Math.sqrt(index.length);
    const tokens = before * size;
    const next = new Int32Array(tokens * tokens);
    for (let n = 0; n < tokens; n++) {
      for (let m = 0; m < tokens; m++) {
        const outer = index[Math.floor(n / size) * before + Math.floor(m / size)] as number;
        const offset = (m % size) - (n % size);
        next[n * tokens + m] = outer * (offsets[axis] as number) + offsetIndex(offset, size, padding);
      }
    }
    index = next;
  }
  return index;
}
