import { kernelMode } from '@saccade/tensor-ops';
import { describeOnBackends, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { compareValues } from './check.ts';
import { Clock, fakeBench } from './testing/fakeBench.ts';
import { tfjsContender, valuesOf } from './tfjsContender.ts';

describeOnBackends('tfjsContender', () => {
  const bench = fakeBench(new Clock());
  const numbers = Float32Array.of(1, 2, 3);

  it('computes in a kernel mode of its own, and leaves nothing behind', async () => {
    const x = tf.tensor1d(numbers);
    const modes: string[] = [];
    const contender = tfjsContender(bench, {
      name: 'squares',
      kernels: 'explicit',
      compute() {
        modes.push(kernelMode());
        return tf.square(tf.neg(x));
      },
      check: (values) => compareValues('squares', values, [[1, 4, 9]], 1e-6),
      uploads: [numbers, numbers],
    });
    expect(contender).toMatchObject({ name: 'squares', role: 'saccade' });
    await expectNoLeak(async () => {
      await contender.run();
      contender.dispatch?.();
      expect(await contender.upload?.()).toBe(24);
      expect(await contender.check()).toEqual({ against: 'squares', error: expect.any(Number), tolerance: 1e-6 });
      return [];
    });
    expect(modes).toEqual(['explicit', 'explicit', 'explicit']);
    expect(kernelMode()).toBe('auto');
    x.dispose();
  });

  it('leaves nothing behind when the device fails, nor another kernel mode when the work throws', async () => {
    const failing = fakeBench(new Clock(), { settle: () => Promise.reject(new Error('device lost')) });
    const check = () => compareValues('nothing', [], [], 0);
    const lost = tfjsContender(failing, { name: 'lost', compute: () => tf.ones([3]), check });
    await expectNoLeak(async () => {
      await expect(lost.run()).rejects.toThrow('device lost');
      return [];
    });
    const compute = () => {
      throw new RangeError('too large');
    };
    const throwing = tfjsContender(bench, { name: 'throwing', kernels: 'explicit', compute, check });
    await expect(throwing.run()).rejects.toThrow('too large');
    await expect(valuesOf(compute, 'explicit')).rejects.toThrow('too large');
    expect(kernelMode()).toBe('auto');
  });

  it('valuesOf gives the numbers of one tensor or of several', async () => {
    await expectNoLeak(async () => {
      expect(await valuesOf(() => tf.tensor1d(numbers), 'auto')).toEqual([numbers]);
      expect(await valuesOf(() => [tf.tensor1d(numbers), tf.scalar(4)], 'explicit')).toEqual([
        numbers,
        Float32Array.of(4),
      ]);
      return [];
    });
  });
});
