// What our kernels for wasm gain over tfjs' own, at sizes of attention and of a small video network:
// `npx vitest bench packages/tensor-ops`. The tests beside this file compare the values.
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { rawMatMul, sumRows } from '../../matMul.ts';
import { setupBackend } from '../../node/index.ts';

await setupBackend('wasm');

/** Runs `compute` once and waits for its result. */
function timed(compute: () => tf.Tensor): () => void {
  return () => tf.tidy(() => void compute().dataSync());
}

for (const [groups, rows, inner, columns] of [
  [64, 256, 16, 256],
  [64, 256, 256, 16],
  [128, 64, 16, 64],
] as const) {
  describe(`${groups} products of [${rows},${inner}] with [${inner},${columns}]`, () => {
    const a = tf.randomNormal([groups, rows, inner], 0, 1, 'float32', 1);
    const b = tf.randomNormal([groups, inner, columns], 0, 1, 'float32', 2);
    bench(
      'SaccadeBatchMatMul',
      timed(() => rawMatMul(a, b)),
    );
    bench(
      'tf.matMul',
      timed(() => tf.matMul(a, b)),
    );
  });
}

describe('sum of the rows of [8192,96]', () => {
  const x = tf.randomNormal([8192, 96], 0, 1, 'float32', 3);
  bench(
    'sumRows',
    timed(() => sumRows(x)),
  );
  bench(
    'tf.sum',
    timed(() => tf.sum(x, 0)),
  );
});
