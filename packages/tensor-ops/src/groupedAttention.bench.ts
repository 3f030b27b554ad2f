// Attention in groups on wasm, by its three paths, and what the selection of keys takes of it:
// `pnpm vitest bench packages/tensor-ops/src/groupedAttention`. Sizes of a quarter of stage 1 of DGT-T; the tests compare the values.
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { dynamicGroups } from './dynamicGroups.ts';
import { groupedAttention } from './groupedAttention.ts';
import { blockwiseAttention } from './groupedBlocks.ts';
import { maskedAttention } from './groupedMask.ts';
import { memoryOffset, type WasmBackend } from './kernels/wasm/backend.ts';
import { type SimdKernels, simdKernels } from './kernels/wasm/simd.ts';
import { setupBackend } from './node/index.ts';
import { sample, tensor } from './testing/reference.ts';

await setupBackend('wasm');
const [heads, tokens, size, groups, topK] = [2, 784, 32, 48, 98];
const tensors = [1, 2, 3].map((seed) => tensor<tf.Tensor4D>(sample([1, heads, tokens, size], seed)));
const [q, k, v] = tensors as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
const centroids = tensor<tf.Tensor3D>(sample([heads, groups, size], 4));
const routing = dynamicGroups(q, k, centroids, { topK });
const sizes = `N = ${tokens}, ${heads} heads of ${size}, G = ${groups}, k = ${topK}`;

describe(`forward, ${sizes}`, () => {
  const paths = {
    kernel: () => groupedAttention(q, k, v, routing),
    blocks: () => blockwiseAttention(q, k, v, routing, size ** -0.5),
    mask: () => maskedAttention(q, k, v, routing, size ** -0.5),
  };
  for (const [name, path] of Object.entries(paths)) bench(name, () => tf.dispose(path()));
});

describe(`routing, ${sizes}`, () => {
  const scores = tensor(sample([heads * groups, tokens], 5));
  const [histogram, places] = [tf.zeros([256]), tf.zeros([topK], 'int32')];
  const backend = tf.backend() as unknown as WasmBackend;
  const simd = simdKernels(backend) as SimdKernels;
  bench('all of it', () => tf.dispose(Object.values(dynamicGroups(q, k, centroids, { topK }))));
  bench('the selection alone', () => {
    const copy = tf.add(scores, 0);
    const [from, counts, to] = [copy, histogram, places].map((x) => memoryOffset(backend, x)) as [
      number,
      number,
      number,
    ];
    for (let row = 0; row < heads * groups; row++) {
      simd.selectLargest(from + 4 * row * tokens, counts, to, tokens, topK);
    }
    copy.dispose();
  });
  bench('the selection by topk of tfjs', () => tf.dispose(Object.values(tf.topk(scores, topK))));
});
