import { ConfigError, setKernelMode } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, it } from 'vitest';
import { attendInParts, type StructFilter } from './structAttention.ts';
import { problem, tensors } from './testing/problem.ts';

const SIZES = {
  grid: [3, 4],
  heads: 2,
  headDim: 2,
  detectors: 2,
  stride: 1,
  kernelK: [3, 3],
  kernelV: [1, 3],
} as const;
/** Bytes of K' of one sample: D L C numbers. */
const SAMPLE = 4 * 2 * 12 * 4;
const BATCH = 5;

/** Five samples, and the operator with a limit on the bytes of K' and V'. */
function batch(): tf.Tensor[] {
  return tf.tidy(() => {
    const samples = Array.from({ length: BATCH }, (_, seed) => tensors(problem({ ...SIZES, seed })));
    const [, , , convK, convV] = samples[0]!;
    return [...[0, 1, 2].map((i) => tf.concat(samples.map((sample) => sample[i]!))), convK, convV];
  });
}

const operator =
  (limit?: number) =>
  (...[q, k, v, convK, convV]: tf.Tensor[]) =>
    attendInParts(
      q as tf.Tensor3D,
      k as tf.Tensor3D,
      v as tf.Tensor3D,
      convK as StructFilter,
      convV as StructFilter,
      SIZES,
      limit,
    );

/** The shapes of all K' and V' that the kernel computed in a forward pass. */
async function structuralTokens(limit?: number): Promise<number[][]> {
  const inputs = batch();
  const { kernels } = await tf.profile(() => tf.tidy(() => void operator(limit)(...inputs)));
  tf.dispose(inputs);
  return kernels.filter(({ name }) => name === 'SaccadeDepthwiseTokens').map(({ outputShapes }) => outputShapes[0]!);
}

afterEach(() => setKernelMode('auto'));

describeOnBackends(
  'structAttention of a batch too large for a binding',
  () => {
    it.each([
      ['all at once', undefined, [5, 5]],
      ['all at once, just', BATCH * SAMPLE, [5, 5]],
      ['in two parts', BATCH * SAMPLE - 1, [2, 2, 3, 3]],
      ['in three parts', 2 * SAMPLE, [1, 1, 2, 2, 2, 2]],
      ['one by one', SAMPLE, Array(2 * BATCH).fill(1)],
    ])('goes %s', async (_, limit, samples) => {
      const shapes = await structuralTokens(limit);
      expect(shapes.map(([size]) => size)).toEqual(samples);
      for (const shape of shapes) expect(shape.slice(1)).toEqual([2, 2 * 12, 2]);
    });

    it.each([2 * SAMPLE, SAMPLE, SAMPLE - 1])('gives the same values and gradients: %i bytes', async (limit) => {
      await expectNoLeak(async () => {
        const inputs = batch();
        const [whole, inParts] = [tf.valueAndGrads(operator())(inputs), tf.valueAndGrads(operator(limit))(inputs)];
        await expectClose(inParts.value, whole.value);
        for (const [i, gradient] of inParts.grads.entries()) await expectClose(gradient, whole.grads[i]!);
        return [...inputs, whole.value, inParts.value, ...whole.grads, ...inParts.grads];
      });
    });

    it('streams the sets where one sample is too much, unless the kernels are called for', async () => {
      expect(await structuralTokens(SAMPLE - 1)).toEqual([]);
      setKernelMode('fused');
      const inputs = batch();
      expect(() => operator(SAMPLE - 1)(...inputs)).toThrow(ConfigError);
      expect(() => operator(SAMPLE - 1)(...inputs)).toThrow(/384 bytes|at most 383/);
      tf.dispose(inputs);
    });

    it('streams the sets without the kernels', async () => {
      setKernelMode('explicit');
      expect(await structuralTokens()).toEqual([]);
    });
  },
  { backends: ['webgpu'] },
);
