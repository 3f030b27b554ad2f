// The fused kernel against the explicit path, on the GPU or, where there is none, on a software driver:
// `pnpm vitest bench packages/tensor-ops/src/attention`. Sizes of structural attention at 14x14 and D = 4, and at 28x28
// with one set of keys; the explicit path streams its D sets, the kernel takes them as one. The tests compare the values.
import { softwareVulkan } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { attention } from './attention.ts';
import { type KernelMode, setKernelMode } from './kernelMode.ts';
import { setupBackend } from './node/index.ts';

const backend = await setupBackend('webgpu', { softwareDriver: softwareVulkan });
/** On a software driver the explicit path takes seconds for one run. */
const few = { time: 0, iterations: 3, warmupTime: 0, warmupIterations: 1 };
const [heads, size] = [5, 64];

for (const [queries, sets] of [
  [196, 4],
  [784, 1],
] as const) {
  const normal = (tokens: number, seed: number) =>
    tf.randomNormal([1, heads, tokens, size], 0, 1, 'float32', seed) as tf.Tensor4D;
  const [q, k, v] = [normal(queries, 1), normal(sets * queries, 2), normal(sets * queries, 3)];
  const [keys, values] = [k, v].map((x) => tf.split<tf.Tensor4D>(x, sets, 2)) as [tf.Tensor4D[], tf.Tensor4D[]];
  const inputs = { fused: [q, k, v], explicit: [q, ...keys, ...values] } as const;
  const compute = ([q, ...sets]: readonly tf.Tensor[]) => {
    const [keys, values] = [sets.slice(0, sets.length / 2), sets.slice(sets.length / 2)] as [
      tf.Tensor4D[],
      tf.Tensor4D[],
    ];
    return attention(q as tf.Tensor4D, keys, values);
  };
  const work: Record<string, (x: readonly tf.Tensor[]) => tf.TensorContainer> = {
    forward: compute,
    gradients: (x) => tf.grads((...x: tf.Tensor[]) => compute(x) as tf.Tensor)([...x]),
  };
  for (const [what, run] of Object.entries(work)) {
    describe(`${what}: ${heads} heads of ${size}, N = ${queries}, L = ${sets} x ${queries}`, () => {
      for (const mode of ['fused', 'explicit'] satisfies KernelMode[]) {
        bench(
          mode,
          async () => {
            setKernelMode(mode);
            const result = tf.tidy(() => run(inputs[mode]));
            await backend.takeErrors(); // Waits for the GPU.
            tf.dispose(result);
          },
          few,
        );
      }
    });
  }
}
