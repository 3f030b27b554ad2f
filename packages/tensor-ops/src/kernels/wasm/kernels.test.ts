import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { setupBackend } from '../../node/index.ts';
import { kernelTable } from '../index.ts';

/** Values without symmetries, from a formula. */
const wave = (shape: readonly number[], seed = 0) =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) => Math.sin(0.7 * i + seed)),
    [...shape],
  );

const run = (kernel: string, inputs: Record<string, tf.Tensor>, attributes: object) =>
  tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;

/** The same computation on cpu, whose kernels are plain loops after the definition. */
async function onCpu(compute: () => tf.Tensor): Promise<{ shape: number[]; values: ArrayLike<number> }> {
  await setupBackend('cpu');
  const result = compute();
  const values = await result.data();
  await setupBackend('wasm');
  return { shape: result.shape, values };
}

async function expectAsOnCpu(compute: () => tf.Tensor): Promise<void> {
  const expected = await onCpu(compute);
  const result = compute();
  expect(result.shape).toEqual(expected.shape);
  await expectClose(result, expected.values);
}

interface Convolution {
  readonly title: string;
  readonly x: [number, number, number, number];
  readonly filter: [number, number, number, number];
  readonly strides: [number, number];
  readonly pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
}

const uneven: tf.backend_util.ExplicitPadding = [[0, 0], [2, 1], [0, 3], [0, 0]]; // biome-ignore format: one pair an axis
const convolutions: readonly Convolution[] = [
  { title: 'same', x: [2, 5, 4, 3], filter: [3, 3, 3, 2], strides: [1, 1], pad: 'same' },
  { title: 'valid, strides 2 and 1', x: [1, 6, 5, 2], filter: [3, 2, 2, 3], strides: [2, 1], pad: 'valid' },
  { title: 'same, strides 1 and 2', x: [2, 4, 7, 2], filter: [2, 3, 2, 1], strides: [1, 2], pad: 'same' },
  { title: 'padding 1, stride 3', x: [1, 7, 7, 1], filter: [3, 3, 1, 2], strides: [3, 3], pad: 1 },
  { title: 'uneven padding beyond the kernel', x: [2, 3, 3, 2], filter: [2, 2, 2, 2], strides: [2, 2], pad: uneven },
  { title: 'one pixel, a kernel larger than it', x: [1, 1, 1, 2], filter: [3, 3, 2, 2], strides: [1, 1], pad: 'same' },
];

describeOnBackends(
  'kernels that tfjs lacks on wasm',
  () => {
    it.each(kernelTable.map((kernel) => [kernel.kernelName, kernel] as const))('%s: stock has none', (name, kernel) => {
      // Had the backend its own, its registration would have replaced ours when it was loaded.
      expect(tf.getKernel(name, 'wasm').kernelFunc).toBe(kernel.kernelFunc);
    });

    it.each(convolutions.map((one) => [one.title, one] as const))(
      'Conv2DBackpropFilter: %s',
      async (_, { x, filter, strides, pad }) => {
        const { outShape } = tf.backend_util.computeConv2DInfo(x, filter, strides, 1, pad);
        const attributes = { strides, pad, dataFormat: 'NHWC', filterShape: filter };
        const compute = () => run(tf.Conv2DBackpropFilter, { x: wave(x), dy: wave(outShape, 1) }, attributes);
        await expectAsOnCpu(compute);
        await expectNoLeak(() => tf.tidy(compute));
      },
    );

    it('Conv2DBackpropFilter: refuses NCHW', () => {
      const attributes = { strides: 1, pad: 'valid', dataFormat: 'NCHW', filterShape: [1, 1, 1, 1] };
      const inputs = { x: tf.ones([1, 1, 2, 2]), dy: tf.ones([1, 1, 2, 2]) };
      expect(() => run(tf.Conv2DBackpropFilter, inputs, attributes)).toThrow(/NCHW is not supported/);
    });

    it.each(convolutions.map((one) => [one.title, one] as const))(
      'depthwise backprops: %s',
      async (_, { x, filter, strides, pad }) => {
        const { outShape } = tf.backend_util.computeConv2DInfo(x, filter, strides, 1, pad, undefined, true);
        const shared = { strides, pad, dilations: [1, 1] };
        const dy = () => wave(outShape, 1);
        await expectAsOnCpu(() =>
          run(tf.DepthwiseConv2dNativeBackpropFilter, { x: wave(x), dy: dy() }, { ...shared, filterShape: filter }),
        );
        await expectAsOnCpu(() =>
          run(tf.DepthwiseConv2dNativeBackpropInput, { dy: dy(), filter: wave(filter) }, { ...shared, inputShape: x }),
        );
      },
    );

    it('depthwise backprops: are the adjoints of a dilated convolution too', async () => {
      // No other backend can be asked. <dy, conv(x, w)> = <backpropInput(dy, w), x> = <backpropFilter(x, dy), w>.
      const [x, filter] = [wave([2, 6, 5, 2]) as tf.Tensor4D, wave([3, 2, 2, 2], 2) as tf.Tensor4D];
      const y = tf.depthwiseConv2d(x, filter, 1, 'same', 'NHWC', 2);
      const dy = wave(y.shape, 1);
      const shared = { strides: [1, 1], pad: 'same', dilations: [2, 2] };
      const dx = run(tf.DepthwiseConv2dNativeBackpropInput, { dy, filter }, { ...shared, inputShape: x.shape });
      const dw = run(tf.DepthwiseConv2dNativeBackpropFilter, { x, dy }, { ...shared, filterShape: filter.shape });
      const expected = tf.sum(tf.mul(dy, y));
      await expectClose(tf.sum(tf.mul(dx, x)), expected);
      await expectClose(tf.sum(tf.mul(dw, filter)), expected);
    });

    it.each([
      ['rows', [5, 2], [2, 0, 2, 1, 2], 4],
      ['numbers', [4], [1, 1, 0, 1], 2],
      ['rows of rank 3', [3, 2, 2], [1, 0, 1], 2],
      ['numbers outside of the range', [4, 2], [0, -1, 3, 2], 3],
    ] as const)('UnsortedSegmentSum: %s', async (_, shape, ids, numSegments) => {
      await expectAsOnCpu(() =>
        run(tf.UnsortedSegmentSum, { x: wave(shape), segmentIds: tf.tensor1d([...ids], 'int32') }, { numSegments }),
      );
    });

    it('UnsortedSegmentSum: integers stay integers', async () => {
      const x = tf.tensor1d([1, 2, 3], 'int32');
      const y = run(tf.UnsortedSegmentSum, { x, segmentIds: tf.tensor1d([0, 0, 1], 'int32') }, { numSegments: 2 });
      expect(y.dtype).toBe('int32');
      await expectClose(y, [3, 3]);
    });
  },
  { backends: ['wasm'] },
);
