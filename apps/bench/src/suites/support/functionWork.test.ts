import { withGradient } from '@saccade/tensor-ops';
import { describeOnBackends, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { type FunctionWork, functionContender } from './functionWork.ts';
import { InputTensors, normalInput } from './inputs.ts';
import { sampleOutputs } from './samples.ts';
import { testBench } from './testing.ts';

const a = normalInput('a', [6, 5]);
const b = normalInput('b', [6, 5]);
const fixed = normalInput('fixed', [6, 5], { fixed: true });

/** `a^2 b + fixed` */
const right: FunctionWork = {
  name: 'right',
  inputs: [a, b, fixed],
  outputShape: [6, 5],
  apply: ([a, b, fixed]) => tf.add(tf.mul(tf.square(a as tf.Tensor), b as tf.Tensor), fixed as tf.Tensor),
  samples: () =>
    sampleOutputs([6, 5], ([i, j]) => {
      const at = 5 * (i as number) + (j as number);
      return (a.values[at] as number) ** 2 * (b.values[at] as number) + (fixed.values[at] as number);
    }),
  macs: 60,
  params: 30,
};

/** The same value, with the gradient of a or b multiplied by something. */
const withFactors = (forA: number, forB: number): FunctionWork => ({
  ...right,
  apply: ([a, b, fixed]) =>
    withGradient(
      [a as tf.Tensor, b as tf.Tensor],
      ([a, b]) => ({ value: tf.add(tf.mul(tf.square(a), b), fixed as tf.Tensor), saved: [a, b] }),
      (dy, [a, b]) => [tf.mul(tf.mul(dy, tf.mul(a, b)), 2 * forA), tf.mul(tf.mul(dy, tf.square(a)), forB)],
    ),
});

describeOnBackends('a function as a contender', (backend) => {
  const checked = async (work: FunctionWork, direction: 'forward' | 'forward+backward') => {
    const store = new InputTensors();
    const { error, tolerance, against } = await functionContender(testBench(backend), store, work, direction).check();
    store.dispose();
    return { passes: error <= tolerance, against };
  };

  it('is right by value and by differences', async () => {
    expect(await checked(right, 'forward')).toEqual({
      passes: true,
      against: expect.stringMatching(/^float64 in \d+ values$/),
    });
    expect((await checked(right, 'forward+backward')).passes).toBe(true);
    expect((await checked(withFactors(1, 1), 'forward+backward')).passes).toBe(true);
  });

  it('is refused for a value that is off by a thousandth', async () => {
    const off: FunctionWork = { ...right, apply: (tensors) => tf.mul(right.apply(tensors), 1.001) };
    expect((await checked(off, 'forward')).passes).toBe(false);
    expect((await checked(off, 'forward+backward')).passes).toBe(false);
  });

  it.each([
    ['zero', 0, 1],
    ['of the other sign', 1, -1],
    ['too large by a twentieth', 1.05, 1],
  ])('is refused for a gradient that is %s', async (_, forA, forB) => {
    expect((await checked(withFactors(forA, forB), 'forward')).passes).toBe(true);
    expect((await checked(withFactors(forA, forB), 'forward+backward')).passes).toBe(false);
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(async () => {
      const store = new InputTensors();
      const contender = functionContender(testBench(backend), store, { ...right, explicit: true }, 'forward+backward');
      await contender.run();
      await contender.check();
      await contender.upload?.();
      store.dispose();
      return [];
    });
  });

  it('says what it costs: thrice as much with gradients, and what moves', () => {
    const store = new InputTensors();
    const cost = (direction: 'forward' | 'forward+backward') =>
      functionContender(testBench(backend), store, right, direction).cost;
    expect(cost('forward')).toEqual({ params: 30, macs: 60, bytes: 4 * (3 * 30 + 30) });
    // Three inputs and dy in; the value and two gradients out.
    expect(cost('forward+backward')).toEqual({ params: 30, macs: 180, bytes: 4 * (3 * 30 + 30 + 30 + 2 * 30) });
    store.dispose();
  });
});
