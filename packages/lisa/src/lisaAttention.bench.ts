import { Rng } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { lisaAttention } from './lisaAttention.ts';

await setupBackend('wasm');

// Run it with `pnpm vitest bench packages/lisa`.
describe('lisaAttention on wasm, 14x14 tokens, C = 192, h = 3', () => {
  const rng = new Rng(0);
  const normal = () =>
    tf.tensor3d(
      Float32Array.from({ length: 196 * 192 }, () => rng.normal()),
      [1, 196, 192],
    );
  const [q, k, v] = [normal(), normal(), normal()];
  const forward = (x: tf.Tensor) => lisaAttention(x as tf.Tensor3D, k, v, { grid: [14, 14], heads: 3 });

  bench('forward', async () => {
    const y = forward(q);
    await y.data();
    y.dispose();
  });

  bench('forward and gradient', async () => {
    const dq = tf.grad(forward)(q);
    await dq.data();
    dq.dispose();
  });
});
