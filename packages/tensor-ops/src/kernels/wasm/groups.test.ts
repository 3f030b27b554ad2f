import { expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dynamicGroups } from '../../dynamicGroups.ts';
import { groupedAttention } from '../../groupedAttention.ts';
import { setKernelMode } from '../../kernelMode.ts';
import { type BackendInfo, setupBackend } from '../../node/index.ts';
import { groupedReference, routeReference } from '../../testing/groups.ts';
import { sample, tensor } from '../../testing/reference.ts';
import type { WasmBackend } from './backend.ts';
import { simdKernels } from './simd.ts';

const q = sample([2, 2, 30, 6], 1, { low: -2, high: 2 });
const k = sample([2, 2, 25, 6], 2, { low: -2, high: 2 });
const v = sample([2, 2, 25, 6], 3);
const centroids = sample([2, 4, 6], 4);

describe.each([true, false])('the kernels of groups on wasm, SIMD: %s', (simd) => {
  let backend: BackendInfo;

  beforeAll(async () => {
    const validate = vi.spyOn(WebAssembly, 'validate');
    backend = await setupBackend('wasm');
    if (!simd) validate.mockReturnValue(false);
    // Asked once for each backend, and remembered.
    expect(simdKernels(tf.backend() as unknown as WasmBackend) !== undefined).toBe(simd);
    validate.mockRestore();
    setKernelMode('fused');
  });

  afterAll(() => {
    setKernelMode('auto');
    backend.dispose();
  });

  it('give the groups, keys, values and gradients of the definition', async () => {
    const expected = routeReference(q, k, centroids, { topK: 7, assign: 'euclid', normalizeKeys: true });
    const inputs = [q, k, v].map((x) => tensor(x)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const routing = dynamicGroups(inputs[0], inputs[1], tensor(centroids), {
      topK: 7,
      assign: 'euclid',
      normalizeKeys: true,
    });
    expect(await routing.assignment.array()).toEqual(expected.assignment);
    const f = (...[q, k, v]: tf.Tensor[]) =>
      groupedAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, routing, { scale: 0.7 });
    await expectClose(f(...inputs), groupedReference(q, k, v, expected, 0.7).data);
    const gradients = tf.grads(f)(inputs);
    setKernelMode('explicit');
    const masked = tf.grads(f)(inputs);
    setKernelMode('fused');
    for (const [i, gradient] of gradients.entries()) {
      await expectClose(gradient, masked[i] as tf.Tensor, { tolerance: 5e-5 });
    }
  });
});
