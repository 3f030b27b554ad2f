import { ConfigError, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { crossEntropy } from './losses.ts';

const LOGITS = [
  [2, -1, 0.5, 0],
  [0.1, 0.2, -3, 1],
  [-0.7, 0, 0, 4],
];

/** The definition, in float64. */
function reference(targets: readonly (readonly number[])[]): number {
  let sum = 0;
  LOGITS.forEach((row, b) => {
    const total = row.reduce((all, x) => all + Math.exp(x), 0);
    row.forEach((x, k) => {
      sum -= targets[b]![k]! * Math.log(Math.exp(x) / total);
    });
  });
  return sum / LOGITS.length;
}

const oneHot = (label: number) => [0, 1, 2, 3].map((k) => (k === label ? 1 : 0));
const smoothed = (row: readonly number[], e: number) => row.map((t) => (1 - e) * t + e / 4);
const MIXED = [
  [0.7, 0.3, 0, 0],
  [0, 0, 1, 0],
  [0.25, 0.25, 0.25, 0.25],
];

describeOnBackends('crossEntropy', () => {
  const logits = () => tf.tensor2d(LOGITS);

  it('is the mean of -log softmax at the labels', async () => {
    await expectClose(await crossEntropy(logits(), [0, 2, 3]).data(), [reference([0, 2, 3].map(oneHot))]);
  });

  it('smooths labels and distributions', async () => {
    const hard = crossEntropy(logits(), Int32Array.of(1, 0, 3), { labelSmoothing: 0.1 });
    await expectClose(await hard.data(), [reference([1, 0, 3].map((label) => smoothed(oneHot(label), 0.1)))]);
    const soft = crossEntropy(logits(), tf.tensor2d(MIXED), { labelSmoothing: 0.2 });
    await expectClose(await soft.data(), [reference(MIXED.map((row) => smoothed(row, 0.2)))]);
  });

  it('has the gradient that finite differences give', async () => {
    const f = (x: tf.Tensor) => crossEntropy(x as tf.Tensor2D, [0, 2, 3], { labelSmoothing: 0.1 });
    await finiteDifference((x) => f(x as tf.Tensor), [logits()]);
    const unnormalized = tf.mul(tf.tensor2d(MIXED), 3) as tf.Tensor2D;
    await finiteDifference((x) => crossEntropy(x as tf.Tensor2D, unnormalized), [logits()]);
  });

  it('survives logits whose exponentials do not fit into a float', async () => {
    const extreme = tf.tensor2d([
      [1000, 0],
      [-1000, 1000],
    ]);
    const { value, grad } = tf.valueAndGrad((x) => crossEntropy(x as tf.Tensor2D, [1, 1]))(extreme);
    await expectClose(await value.data(), [500]);
    await expectClose(await grad.data(), [0.5, -0.5, 0, 0]);
  });

  it('keeps nothing', async () => {
    const x = logits();
    await expectNoLeak(() => tf.grad((x) => crossEntropy(x as tf.Tensor2D, [0, 1, 2], { labelSmoothing: 0.1 }))(x));
  });

  it('names what is wrong', () => {
    expect(() => crossEntropy(logits(), [0, 1])).toThrow(ShapeError);
    expect(() => crossEntropy(logits(), [0, 1, 4])).toThrow(/labels\[2\].*0 to 3.*4/);
    expect(() => crossEntropy(logits(), [0, 1, 2], { labelSmoothing: 1 })).toThrow(ConfigError);
    expect(() => crossEntropy(logits(), tf.zeros([3, 3]))).toThrow(/labels/);
  });
});
