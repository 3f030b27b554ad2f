// Structure-aware attention by Fourier transforms against its other methods and against softmax attention, on wasm:
// `pnpm vitest bench packages/tensor-ops/src/gridCorrelation`. From 784 to 12,544 tokens; the slope of log(time) over
// log(N) is what the method promises to keep near 1. The tests beside the source compare the values.
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { attention } from './attention.ts';
import type { GridCorrelationMethod } from './gridCorrelationProblem.ts';
import { setupBackend } from './node/index.ts';
import { product } from './shape.ts';
import { structureCorrelation } from './structureCorrelation.ts';

await setupBackend('wasm');

const [heads, channels, patterns] = [2, 32, 8];
/** The slower methods take seconds. */
const few = { time: 0, iterations: 3, warmupTime: 0, warmupIterations: 1 };
/** Above this, attention's map of N x N and the dense method's matrices are left out. */
const MAPS_LIMIT = 6272;
const DENSE_LIMIT = 784;

for (const grid of [
  [14, 14],
  [28, 28],
  [28, 56],
  [56, 56],
  [56, 112],
  [112, 112],
] as const) {
  const tokens = product(grid);
  const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);
  const tables = [heads, patterns, ...grid.map((size) => 2 * size - 1)];
  const inputs = [1, 2, 3].map((seed) => normal([1, heads, tokens, channels], seed)) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  const [P, U] = [normal(tables, 4), normal(tables, 5)];
  const structure = (method: GridCorrelationMethod) => (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D) =>
    structureCorrelation(q, k, v, P, U, { grid, method });
  const candidates = {
    fft: structure('fft'),
    ...(tokens <= MAPS_LIMIT && {
      attention: (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D) => attention(q, [k], [v]),
    }),
    dft: structure('dft'),
    ...(tokens <= DENSE_LIMIT && { dense: structure('dense') }),
  };
  for (const [what, gradient] of [
    ['forward', false],
    ['gradients of q, k and v', true],
  ] as const) {
    describe(`${what}: ${grid.join(' x ')}, ${heads} heads of ${channels}, D = ${patterns}`, () => {
      for (const [name, compute] of Object.entries(candidates)) {
        bench(
          name,
          () => {
            tf.tidy(() => {
              const all = (...x: tf.Tensor[]) => compute(...(x as typeof inputs)) as tf.Tensor;
              const [first] = gradient ? tf.grads(all)([...inputs]) : [all(...inputs)];
              first?.dataSync();
            });
          },
          few,
        );
      }
    });
  }
}
