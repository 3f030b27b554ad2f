import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/**
 * Runs `action` and expects that it leaves as many tensors behind as it returns: none, or the one or several of its
 * result, which are disposed.
 */
export async function expectNoLeak(action: () => tf.TensorContainer | Promise<tf.TensorContainer>): Promise<void> {
  const before = tf.memory().numTensors;
  const result = await action();
  tf.dispose(result as tf.TensorContainer);
  const leaked = tf.memory().numTensors - before;
  expect(leaked, 'tensors left behind').toBe(0);
}
