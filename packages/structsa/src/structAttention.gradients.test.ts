import { Rng, setKernelMode } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { type StructFilter, structAttention } from './structAttention.ts';
import { describeOnPaths } from './testing/paths.ts';
import { normal, type Problem, problem, tensors } from './testing/problem.ts';

const NAMES = ['q', 'k', 'v', 'convK', 'convV'] as const;

/** The operator as a function of its five tensors. */
function operator(options: Pick<Problem, 'grid' | 'heads' | 'stride'>) {
  return (...[q, k, v, convK, convV]: tf.Tensor[]) =>
    structAttention(
      q as tf.Tensor3D,
      k as tf.Tensor3D,
      v as tf.Tensor3D,
      convK as StructFilter,
      convV as StructFilter,
      options,
    );
}

const CASES = [
  ['images', { grid: [2, 3], kernelK: [3, 3], kernelV: [1, 3], stride: 1 }],
  ['images, stride 2', { grid: [3, 4], kernelK: [3, 1], kernelV: [3, 3], stride: 2 }],
  ['clips', { grid: [3, 2, 2], kernelK: [3, 1, 3], kernelV: [3, 3, 1], stride: 1 }],
  ['clips, stride 2', { grid: [2, 3, 2], kernelK: [1, 3, 3], kernelV: [3, 1, 1], stride: 2 }],
] as const;

describeOnBackends(
  'the gradients of structAttention',
  () => {
    it.each(CASES)('are those of finite differences: %s', async (_, sizes) => {
      const p = problem({ ...sizes, heads: 2, headDim: 2, detectors: 2, seed: 4 });
      await finiteDifference(operator(p), tensors(p), { names: NAMES });
    });

    it('reach filters that all channels share', async () => {
      const [one, two] = [[3, 3] as const, [1, 3] as const];
      const sizes = { grid: [2, 3], heads: 2, headDim: 1, detectors: 2, stride: 1, seed: 4 } as const;
      const p = problem({ ...sizes, kernelK: one, kernelV: two });
      const [q, k, v, convK, convV] = tensors(p);
      const shared = [convK, convV].map((filter) => tf.slice(filter, [0, 0, 0, 0], [-1, -1, 1, -1]));
      await finiteDifference(operator(p), [q, k, v, ...shared], { names: NAMES });
    });

    it('come without a map of N x L for each detector', async () => {
      const sizes = {
        grid: [14, 14],
        heads: 2,
        headDim: 4,
        kernelK: [3, 3],
        kernelV: [3, 3],
        stride: 1,
        seed: 1,
      } as const;
      const setMap = 4 * sizes.heads * 196 * 196;
      const peak = async (detectors: number, derive: boolean) => {
        const p = problem({ ...sizes, detectors });
        const inputs = tensors(p);
        const before = tf.memory().numBytes;
        const f = operator(p);
        const { peakBytes } = await tf.profile(() => tf.tidy(() => (derive ? tf.grads(f)([...inputs]) : f(...inputs))));
        tf.dispose(inputs);
        return peakBytes - before;
      };
      for (const derive of [false, true]) {
        const [four, eight] = [await peak(4, derive), await peak(8, derive)];
        // A detector adds its K' and V' and the gradients of these, far from a map of its own.
        expect(eight - four, 'bytes for four more detectors, beside two maps').toBeLessThan(2 * setMap);
        if (!derive) expect(eight, 'bytes at D = 8, beside eight maps').toBeLessThan(8 * setMap);
      }
    });
  },
  // Thousands of evaluations, or of reads: on a GPU the gradients are compared with those of cpu, below.
  { backends: ['cpu', 'wasm'] },
);

describeOnPaths('the gradients of structAttention', ({ name, kernels }) => {
  it.each(CASES)('are those that cpu finds: %s', async (_, sizes) => {
    const p = problem({ ...sizes, heads: 2, headDim: 3, detectors: 3, seed: 5 });
    const read = async () => {
      const gradients = tf.tidy(() => tf.grads(operator(p))(tensors(p)));
      const values = await Promise.all(gradients.map((gradient) => gradient.data()));
      tf.dispose(gradients);
      return values;
    };
    setKernelMode('auto');
    await setupBackend('cpu');
    const expected = await read();
    await setupBackend(name);
    setKernelMode(kernels);
    for (const [i, gradient] of (await read()).entries()) await expectClose(gradient, expected[i]!);
  });

  it('of D equal filters are equal, and add up to those of one', async () => {
    const sizes = { grid: [3, 4], heads: 2, headDim: 2, kernelK: [3, 3], kernelV: [3, 3], stride: 1, seed: 6 } as const;
    const detectors = 3;
    await expectNoLeak(async () => {
      const inputs = tensors(problem({ ...sizes, detectors: 1 }));
      const repeated = inputs.map((x, i) => (i < 3 ? tf.clone(x) : tf.tile(x, [1, 1, 1, detectors])));
      const dy = tf.tensor3d(normal(new Rng(2), 48), [1, 12, 4]);
      const [one, many] = [inputs, repeated].map((x) => tf.valueAndGrads(operator(sizes))(x, dy));
      await expectClose(many!.value, one!.value);
      for (const [i, gradient] of many!.grads.entries()) {
        const single = await one!.grads[i]!.data();
        const share = Float32Array.from(
          { length: gradient.size },
          (_, at) => single[Math.floor(at / detectors)]! / detectors,
        );
        await expectClose(gradient, i < 3 ? single : share);
      }
      return [...inputs, ...repeated, dy, one!.value, many!.value, ...one!.grads, ...many!.grads];
    });
  });
});
