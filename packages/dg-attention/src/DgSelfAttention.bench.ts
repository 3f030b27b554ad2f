import { type Grid, plainAttention } from '@saccade/nn';
import { Rng } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { dgAttention } from './DgSelfAttention.ts';

await setupBackend('wasm');

// Run it with `pnpm vitest bench packages/dg-attention`. Layers with projections of the same size, at stage 1 of DGT-T on
// pictures of 112 pixels; the operator alone, over many sizes and with peaks of memory: `pnpm bench --suite figures`.
const [GRID, DIM, HEADS]: [Grid, number, number] = [[28, 28], 64, 2];
const rng = new Rng(0);
const x = tf.tensor3d(
  Float32Array.from({ length: 784 * DIM }, () => rng.normal()),
  [1, 784, DIM],
);
const layers = [plainAttention(), dgAttention(), dgAttention({ attention: 'cosine' })].map((mixer) => ({
  name: mixer.name,
  layer: mixer.create({ dim: DIM, heads: HEADS, gridRank: 2, rng: rng.fork('weights') }),
}));

describe('forward on wasm, 28x28 tokens, C = 64, h = 2', () => {
  for (const { name, layer } of layers) {
    bench(name, () => {
      layer.eval();
      tf.dispose(layer.forward(x, GRID));
    });
  }
});

describe('forward and gradients in training mode on wasm, 28x28 tokens, C = 64, h = 2', () => {
  for (const { name, layer } of layers) {
    const weights = [...layer.namedParameters().values()].map(({ variable }) => variable);
    bench(name, () => {
      layer.train();
      const { value, grads } = tf.variableGrads(() => tf.mean(layer.forward(x, GRID)), weights);
      layer.afterStep({ learningRate: 1e-3 });
      tf.dispose([value, grads]);
    });
  }
});
