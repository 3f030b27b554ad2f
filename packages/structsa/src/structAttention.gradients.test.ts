import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { type StructFilter, structAttention } from './structAttention.ts';
import { type Problem, problem, tensors } from './testing/problem.ts';

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

describeOnBackends('the gradients of structAttention', () => {
  it.each([
    ['images', { grid: [2, 3], kernelK: [3, 3], kernelV: [1, 3], stride: 1 }],
    ['images, stride 2', { grid: [3, 4], kernelK: [3, 1], kernelV: [3, 3], stride: 2 }],
    ['clips', { grid: [3, 2, 2], kernelK: [3, 1, 3], kernelV: [3, 3, 1], stride: 1 }],
    ['clips, stride 2', { grid: [2, 3, 2], kernelK: [1, 3, 3], kernelV: [3, 1, 1], stride: 2 }],
  ] as const)('are those of finite differences: %s', async (_, sizes) => {
    const p = problem({ ...sizes, heads: 2, headDim: 2, detectors: 2, seed: 4 });
    await finiteDifference(operator(p), tensors(p), { names: NAMES });
  });

  it('reach filters that all channels share', async () => {
    const p = problem({
      ...{ grid: [2, 3], kernelK: [3, 3], kernelV: [3, 3] },
      ...{ heads: 2, headDim: 1, detectors: 2, stride: 1, seed: 4 },
    });
    const [q, k, v, convK, convV] = tensors(p);
    const shared = [convK, convV].map((filter) => tf.slice(filter, [0, 0, 0, 0], [3, 3, 1, 2]));
    await finiteDifference(operator(p), [q, k, v, ...shared], { names: NAMES });
  });

  it('of D equal filters are equal, and add up to those of one', async () => {
    const sizes = { grid: [3, 4], heads: 2, headDim: 2, kernelK: [3, 3], kernelV: [3, 3], stride: 1, seed: 6 } as const;
    const detectors = 3;
    const inputs = tensors(problem({ ...sizes, detectors: 1 }));
    const repeated = [...inputs.slice(0, 3), ...inputs.slice(3).map((filter) => tf.tile(filter, [1, 1, 1, detectors]))];
    await expectNoLeak(async () => {
      const dy = tf.sin(tf.range(0, 12 * 4)).reshape([1, 12, 4]);
      const [one, many] = [inputs, repeated].map((x) => {
        const { value, grads } = tf.valueAndGrads(operator({ ...sizes, grid: sizes.grid }))(x, dy);
        return { y: value, grads };
      });
      await expectClose(many!.y, one!.y);
      for (const [i, gradient] of many!.grads.entries()) {
        if (i < 3) {
          await expectClose(gradient, one!.grads[i]!);
          continue;
        }
        const parts = tf.unstack(gradient, 3);
        for (const part of parts) {
          const share = tf.div(tf.squeeze(one!.grads[i]!, [3]), detectors);
          await expectClose(part, share);
          share.dispose();
        }
        tf.dispose(parts);
      }
      return [dy, one!, many!];
    });
    tf.dispose([inputs, repeated]);
  });

  it('come without a map of N x L for each detector', async () => {
    const sizes = { grid: [14, 14], heads: 2, headDim: 4, kernelK: [3, 3], kernelV: [3, 3], stride: 1, seed: 1 } as const;
    const setMap = 4 * sizes.heads * 196 * 196;
    const peak = async (detectors: number, derive: boolean) => {
      const p = problem({ ...sizes, detectors });
      const inputs = tensors(p);
      const before = tf.memory().numBytes;
      const f = operator(p);
      const { peakBytes } = await tf.profile(() =>
        tf.tidy(() => (derive ? tf.grads(f)([...inputs]) : f(...inputs))),
      );
      tf.dispose(inputs);
      return peakBytes - before;
    };
    for (const derive of [false, true]) {
      const [four, eight] = [await peak(4, derive), await peak(8, derive)];
      expect(eight, 'bytes at D = 8, beside 8 maps').toBeLessThan(8 * setMap);
      // What four more detectors do add: their K' and V', and in the gradient the gradients of these.
      expect(eight - four, 'bytes for four more detectors, beside one map').toBeLessThan(setMap);
    }
  });
});
