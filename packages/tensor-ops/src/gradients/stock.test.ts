import { describeClose, describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import '../register.ts';
import type { BackendName } from '../node/index.ts';
import { gradientTable } from './index.ts';

/**
 * Defects of stock tfjs, each with the right values. These tests fail when tfjs mends one: then the row in REPAIRS.md,
 * and what we do because of it, can go.
 */
interface Defect {
  readonly title: string;
  readonly backends: readonly BackendName[];
  readonly stock: () => tf.Tensor;
  readonly right: readonly number[];
}

const run = (kernel: string, inputs: Record<string, tf.Tensor>, attributes: object) =>
  tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;

/** A tensor of numbers in the dimensions [batch, batch, 1, 1]: matrices of one element. */
const numbers = (values: number[], shape: number[]) => tf.tensor(values, [...shape, 1, 1]);

const defects: readonly Defect[] = [
  {
    title: 'matMul multiplies the wrong matrices where a batch dimension other than the first broadcasts',
    backends: ['cpu', 'wasm', 'webgpu'],
    stock: () => tf.matMul(numbers([1, 2, 3, 4, 5, 6], [2, 3]), numbers([10, 100], [2, 1])),
    right: [10, 20, 30, 400, 500, 600],
  },
  {
    title: 'pad gives garbage at rank 5',
    backends: ['webgpu'],
    stock: () => tf.pad(tf.ones([1, 1, 1, 1, 2]), [[0, 0], [0, 0], [0, 0], [0, 0], [1, 0]]), // biome-ignore format: one pair an axis
    right: [0, 1, 1],
  },
  {
    title: 'stridedSlice gives garbage at rank 5',
    backends: ['webgpu'],
    stock: () => tf.stridedSlice(tf.ones([1, 1, 1, 1, 4]), [0, 0, 0, 0, 1], [1, 1, 1, 1, 4], [1, 1, 1, 1, 2]),
    right: [1, 1],
  },
  {
    title: 'cumsum in reverse keeps the length of its first call',
    backends: ['webgpu'],
    stock: () => {
      tf.dispose(tf.cumsum(tf.ones([3]), 0, false, true));
      return tf.cumsum(tf.ones([5]), 0, false, true);
    },
    right: [5, 4, 3, 2, 1],
  },
  {
    title: 'gather ignores batchDims',
    backends: ['wasm'],
    stock: () => tf.gather(tf.tensor2d([0, 1, 2, 3], [2, 2]), tf.tensor2d([1, 0], [2, 1], 'int32'), 1, 1),
    right: [1, 2],
  },
  {
    title: 'maxPool3d of negative numbers is 0',
    backends: ['wasm'],
    stock: () => tf.maxPool3d(tf.fill([1, 2, 2, 2, 1], -3) as tf.Tensor5D, 2, 1, 'valid'),
    right: [-3],
  },
  {
    title: 'the input gradient of conv3d is 0 for part of the input',
    backends: ['wasm'],
    stock: () =>
      run(
        tf.Conv3DBackpropInputV2,
        { dy: tf.ones([1, 2, 2, 2, 1]), filter: tf.ones([1, 1, 1, 1, 1]) },
        { strides: [1, 1, 1], pad: 'valid', inputShape: [1, 2, 2, 2, 1] },
      ),
    right: [1, 1, 1, 1, 1, 1, 1, 1],
  },
  {
    title: "the gradient of avgPool with 'same' divides by the whole window at the borders",
    backends: ['cpu', 'wasm', 'webgpu'],
    stock: () => {
      const attributes = { filterSize: [1, 3], strides: [1, 1], pad: 'same' };
      return run(tf.AvgPoolGrad, { dy: tf.ones([1, 1, 2, 1]), input: tf.ones([1, 1, 2, 1]) }, attributes);
    },
    right: [1, 1],
  },
  {
    title: 'the gradient of resizeBilinear ignores halfPixelCenters',
    backends: ['cpu', 'wasm', 'webgpu'],
    stock: () => {
      const inputs = { dy: tf.ones([1, 1, 4, 1]), images: tf.ones([1, 1, 2, 1]) };
      return run(tf.ResizeBilinearGrad, inputs, { alignCorners: false, halfPixelCenters: true });
    },
    right: [2, 2],
  },
  {
    title: 'image.transform leaves every image after the first empty',
    backends: ['cpu'],
    stock: () => {
      const identity = [1, 0, 0, 0, 1, 0, 0, 0];
      return tf.image.transform(tf.ones([2, 1, 1, 1]), tf.tensor2d([identity, identity]));
    },
    right: [1, 1],
  },
];

describeOnBackends('stock tfjs', (backend) => {
  it.each(defects.filter(({ backends }) => backends.includes(backend.name)).map((one) => [one.title, one] as const))(
    'still: %s',
    async (_, { stock, right }) => {
      const { error } = describeClose(await stock().data(), right);
      expect(error, 'relative error of stock tfjs').toBeGreaterThan(0.05);
      await backend.info.takeErrors(); // Where webgpu's shader does not compile: that is the defect.
    },
  );

  it('still registers no gradients with its core', () => {
    const foreign = gradientTable.filter((entry) => tf.getGradient(entry.kernelName) !== entry);
    expect(foreign.map(({ kernelName }) => kernelName)).toEqual([]);
  });
});

describeOnBackends(
  'stock tfjs',
  () => {
    it('still: transpose flags of matMul select a slow path', async () => {
      const a = tf.ones([256, 256]);
      const best = async (product: () => tf.Tensor) => {
        const times: number[] = [];
        for (let i = 0; i < 5; i++) {
          const start = performance.now();
          const y = product();
          times.push(performance.now() - start);
          y.dispose();
        }
        return Math.min(...times);
      };
      const [flag, plain] = [
        await best(() => tf.matMul(a, a, false, true)),
        await best(() => tf.matMul(a, tf.transpose(a))),
      ];
      expect(flag / plain).toBeGreaterThan(2); // Measured: 6 to 9.
    });
  },
  { backends: ['wasm'] },
);
