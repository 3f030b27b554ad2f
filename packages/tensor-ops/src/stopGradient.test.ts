import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { stopGradient } from './stopGradient.ts';
import { withGradient } from './withGradient.ts';

describeOnBackends('stopGradient', () => {
  it('has the value of its input and a gradient of zero', async () => {
    const x = tf.tensor1d([1, -2, 3]);
    await expectClose(stopGradient(x), x, { tolerance: 0 });
    await expectClose(tf.grad((x) => stopGradient(tf.square(x)))(x), [0, 0, 0]);
  });

  it('leaves other paths their gradient', async () => {
    // d/dx of x * stop(x) is x, not 2x.
    await expectClose(tf.grad((x) => tf.mul(x, stopGradient(x)))(tf.tensor1d([1, -2, 3])), [1, -2, 3]);
  });

  it('leaves its result only', async () => {
    const x = tf.tensor1d([1, 2]);
    await expectNoLeak(() => stopGradient(x));
    await expectNoLeak(() => tf.grad((x) => tf.mul(x, stopGradient(x)))(x));
  });
});

describeOnBackends(
  'withGradient',
  () => {
    /** `a * b`, with a gradient that is wrong on purpose. */
    const product = (a: tf.Tensor, b: tf.Tensor) =>
      withGradient(
        [a, b],
        ([a, b]) => ({ value: tf.mul(a, b), saved: [b] }),
        (dy, [b]) => [tf.mul(dy, b), tf.mul(dy, 100)],
      );

    it('takes the gradients that it was given, not those of the operations inside', async () => {
      const [da, db] = tf.grads((a, b) => product(a as tf.Tensor, b as tf.Tensor))([tf.scalar(3), tf.scalar(5)]);
      await expectClose(da as tf.Tensor, 5);
      await expectClose(db as tf.Tensor, 100);
    });

    it('keeps nothing that it saved', async () => {
      const [a, b] = [tf.scalar(3), tf.scalar(5)];
      await expectNoLeak(() => product(a, b));
      await expectNoLeak(() => tf.grads((a, b) => product(a as tf.Tensor, b as tf.Tensor))([a, b]));
    });
  },
  { backends: ['cpu'] },
);
