import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNoErrors } from './describeOnBackends.ts';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from './index.ts';

describeOnBackends('describeOnBackends', (backend) => {
  it('runs on the backend it names', async () => {
    expect(tf.getBackend()).toBe(backend.name);
    expect(backend.info.name).toBe(backend.name);
    await expectClose(tf.add([1, 2], [3, 4]), [4, 6]);
  });
});

describe('expectNoErrors', () => {
  it('fails with what the GPU said', async () => {
    await expectNoErrors({ takeErrors: async () => [] });
    await expect(expectNoErrors({ takeErrors: async () => ['no such binding'] })).rejects.toThrow(/no such binding/);
  });
});

describe('expectClose', () => {
  it('measures against the largest expected magnitude', async () => {
    await expectClose([100, 0.0009], [100, 0]);
    await expect(expectClose([100, 0.002], [100, 0])).rejects.toThrow(
      /relative error 0.0000200.* at flat index 1: 0.002/,
    );
  });

  it('does not let NaN, infinity or another length pass', async () => {
    await expect(expectClose([Number.NaN], [1])).rejects.toThrow(/Infinity/);
    await expect(expectClose([1], [Number.NaN])).rejects.toThrow(/Infinity/);
    await expect(expectClose([1], [Number.POSITIVE_INFINITY])).rejects.toThrow(/Infinity/);
    await expect(expectClose([1], [1, 2])).rejects.toThrow(/number of elements/);
    await expectClose([Number.POSITIVE_INFINITY, 1], [Number.POSITIVE_INFINITY, 1]);
  });
});

describeOnBackends(
  'checks on tensors',
  () => {
    it('expectClose compares shapes', async () => {
      await expect(expectClose(tf.ones([2, 1]), tf.ones([1, 2]))).rejects.toThrow(/shape/);
    });

    it('expectNoLeak counts what is left beside the result', async () => {
      const x = tf.tensor1d([1, 2]);
      await expectNoLeak(() => tf.square(x));
      await expect(expectNoLeak(() => tf.square(tf.square(x)))).rejects.toThrow(/tensors left behind/);
    });

    it('finiteDifference accepts the right gradient of every input, and leaves nothing behind', async () => {
      const [a, b] = [tf.tensor1d([0.5, -1, 2]), tf.tensor1d([1, 0.3, -0.7])];
      await expectNoLeak(async () => {
        await finiteDifference((a, b) => tf.mul(tf.square(a as tf.Tensor), b as tf.Tensor), [a, b]);
        return [];
      });
    });

    it('finiteDifference refuses a wrong one, and says where', async () => {
      const wrong = tf.customGrad((x) => ({ value: tf.square(x as tf.Tensor), gradFunc: (dy) => tf.mul(dy, 2) }));
      const check = finiteDifference(wrong, [tf.tensor1d([1, 3])], { names: ['x'] });
      await expect(check).rejects.toThrow(/gradient of x \[2\]: relative error .* at flat index 1/);
    });

    it('finiteDifference leaves constant inputs alone', async () => {
      const indices = tf.tensor1d([1, 0, 1], 'int32');
      const f = (x: tf.Tensor, i: tf.Tensor) => tf.gather(x, i as tf.Tensor1D);
      await finiteDifference(f, [tf.tensor1d([1, 2]), indices], { constant: [1] });
    });
  },
  { backends: ['wasm'] },
);
