import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { type ArraySteps, tensorSteps } from './arraySteps.ts';
import { batchesOfSteps } from './data.ts';

const arrays = (data: Float32Array | Uint8Array): ArraySteps => ({
  seed: 5,
  epochOf: (step) => Math.floor(step / 2),
  at: async (step) => ({ data, shape: [2, 1, 1, data.length / 2], labels: Int32Array.of(step, 7) }),
});

it('makes tensors of arrays, prepares them, and leaves nothing else behind', async () => {
  await setupBackend('cpu');
  const before = tf.memory().numTensors;
  const steps = tensorSteps(arrays(Uint8Array.of(0, 51, 102, 255)), (inputs) => tf.sub(tf.div(inputs, 255), 0.5));
  expect([steps.seed, steps.epochOf(3)]).toEqual([5, 1]);
  const seen: number[] = [];
  for await (const { inputs, labels } of batchesOfSteps(steps, 3)) {
    expect(inputs.shape).toEqual([2, 1, 1, 2]);
    const values = await inputs.data();
    expect([...values].map((value) => Number(value.toFixed(6)))).toEqual([-0.5, -0.3, -0.1, 0.5]);
    seen.push(labels[0] as number);
    inputs.dispose();
  }
  expect(seen).toEqual([0, 1, 2]);
  expect(tf.memory().numTensors).toBe(before);
});

it('takes bytes and floats as they are', async () => {
  for (const data of [Uint8Array.of(0, 255), Float32Array.of(0.25, -3)]) {
    const { inputs } = await tensorSteps(arrays(data)).at(0, { end: 1 });
    expect([inputs.dtype, ...(await inputs.data())]).toEqual(['float32', ...data]);
    inputs.dispose();
  }
});
