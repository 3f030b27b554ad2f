import { type Grid, plainAttention } from '@saccade/nn';
import { Rng } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { structSA } from './StructSelfAttention.ts';

await setupBackend('wasm');

// Run it with `pnpm vitest bench packages/structsa/src/StructSelf`. Both layers have projections of the same size; D = 4 detectors add
// two depthwise convolutions and make the attention map four times as wide.
const [GRID, DIM, HEADS]: [Grid, number, number] = [[14, 14], 64, 1];
const rng = new Rng(0);
const x = tf.tensor3d(
  Float32Array.from({ length: 196 * DIM }, () => rng.normal()),
  [1, 196, DIM],
);
const layers = [plainAttention(), structSA({ detectors: 4 })].map((mixer) => ({
  name: mixer.name,
  layer: mixer.create({ dim: DIM, heads: HEADS, gridRank: 2, rng: rng.fork('weights') }),
}));

describe('forward on wasm, 14x14 tokens, C = 64, h = 1', () => {
  for (const { name, layer } of layers) {
    bench(name, async () => {
      const y = layer.forward(x, GRID);
      await y.data();
      y.dispose();
    });
  }
});

describe('forward and gradients on wasm, 14x14 tokens, C = 64, h = 1', () => {
  for (const { name, layer } of layers) {
    const weights = [...layer.namedParameters().values()].map(({ variable }) => variable);
    bench(name, async () => {
      const { value, grads } = tf.variableGrads(() => tf.mean(layer.forward(x, GRID)), weights);
      await value.data();
      tf.dispose([value, grads]);
    });
  }
});
