import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { depthwiseConv2d, depthwiseConv3d } from './depthwiseConv.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { at, convolution, type Dense, sample, tensor } from './testing/reference.ts';

/** The definition: output channel c*M + m sees input channel c alone. Both in their 3-D forms. */
function reference(x: Dense, filter: Dense, stride: number): Dense {
  const [kt, kh, kw, channels, multiplier] = filter.shape as [number, number, number, number, number];
  return convolution(
    x,
    channels * multiplier,
    {
      kernel: [kt, kh, kw],
      stride: [1, stride, stride],
      padding: [(kt - 1) / 2, (kh - 1) / 2, (kw - 1) / 2],
    },
    (t, u, v, c, o) => (Math.floor(o / multiplier) === c ? at(filter, t, u, v, c, o % multiplier) : 0),
  );
}

const odd = fc.constantFrom(1, 3, 5);
const problem = fc.record({
  map: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
  channels: fc.integer({ min: 1, max: 5 }),
  multiplier: fc.integer({ min: 1, max: 3 }),
  kernel: fc.tuple(odd, odd, odd),
  frames: fc.integer({ min: 1, max: 4 }),
  stride: fc.constantFrom(1, 2),
});

describeOnBackends('depthwiseConv2d, depthwiseConv3d', (backend) => {
  const runs = { numRuns: backend.name === 'webgpu' ? 12 : 40, seed: 20260 };

  it('is the direct convolution of maps', async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ map, channels, multiplier, kernel: [, kh, kw], stride }) => {
        const [batch, height, width] = map;
        const x = sample([batch, 1, height, width, channels], 1);
        const filter = sample([1, kh, kw, channels, multiplier], 2);
        const y = tf.tidy(() =>
          depthwiseConv2d(
            tf.reshape(tensor(x), [batch, height, width, channels]),
            tf.reshape(tensor(filter), [kh, kw, channels, multiplier]),
            stride,
          ),
        );
        const expected = reference(x, filter, stride);
        expect(y.shape).toEqual([batch, ...expected.shape.slice(2)]);
        await expectClose(y, expected.data);
        y.dispose();
      }),
      runs,
    );
  });

  it('is the direct convolution of clips, those shorter than the kernel too', async () => {
    await fc.assert(
      fc.asyncProperty(problem, async ({ map, channels, multiplier, kernel, frames, stride }) => {
        const [batch, height, width] = map;
        const x = sample([batch, frames, height, width, channels], 3);
        const filter = sample([...kernel, channels, multiplier], 4);
        const y = tf.tidy(() => depthwiseConv3d(tensor(x), tensor(filter), stride));
        const expected = reference(x, filter, stride);
        expect(y.shape).toEqual(expected.shape);
        await expectClose(y, expected.data);
        y.dispose();
      }),
      runs,
    );
  });

  it.each([
    { x: [1, 2, 3, 2], filter: [3, 3, 2, 1], stride: 1 },
    { x: [1, 2, 2, 2], filter: [3, 1, 2, 2], stride: 1 },
    { x: [2, 2, 2, 2], filter: [1, 1, 2, 1], stride: 1 },
    { x: [1, 4, 3, 1], filter: [3, 3, 1, 2], stride: 2 },
    { x: [1, 3, 4, 2], filter: [1, 3, 2, 1], stride: 2 },
  ])('has the gradients of maps $x, filter $filter, stride $stride', async ({ x, filter, stride }) => {
    await finiteDifference(
      (x, filter) => depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride),
      [tensor(sample(x, 5)), tensor(sample(filter, 6))],
    );
  });

  it.each([
    { x: [1, 3, 2, 2, 1], filter: [3, 1, 1, 1, 2], stride: 1 },
    { x: [2, 2, 1, 2, 2], filter: [3, 1, 3, 2, 1], stride: 1 },
    { x: [1, 1, 2, 2, 1], filter: [5, 3, 1, 1, 1], stride: 1 },
    { x: [1, 2, 2, 3, 1], filter: [3, 3, 1, 1, 1], stride: 2 },
  ])('has the gradients of clips $x, filter $filter, stride $stride', async ({ x, filter, stride }) => {
    await finiteDifference(
      (x, filter) => depthwiseConv3d(x as tf.Tensor5D, filter as tf.Tensor5D, stride),
      [tensor(sample(x, 7)), tensor(sample(filter, 8))],
    );
  });

  it('is, over clips, a sum of 2-D convolutions of shifted frames', async () => {
    const x = tensor<tf.Tensor5D>(sample([1, 4, 3, 3, 2], 9));
    const filter = tensor<tf.Tensor5D>(sample([3, 3, 3, 2, 2], 10));
    const frames = tf.unstack(x, 1) as tf.Tensor4D[];
    const planes = tf.unstack(filter) as tf.Tensor4D[];
    const expected = frames.map((_, t) =>
      tf.addN(
        planes.flatMap((plane, tap) => {
          const frame = frames[t + tap - 1];
          return frame ? [depthwiseConv2d(frame, plane)] : [];
        }),
      ),
    );
    await expectClose(depthwiseConv3d(x, filter), tf.stack(expected, 1));
  });

  it('samples at stride 2 where PyTorch does, not where "same" of TensorFlow does', async () => {
    const x = tensor<tf.Tensor4D>(sample([1, 4, 4, 1], 11));
    // A filter with 1 at its centre picks the sampled positions themselves.
    const centre = tf.tensor4d([0, 0, 0, 0, 1, 0, 0, 0, 0], [3, 3, 1, 1]);
    const values = (await x.array())[0] as number[][][];
    const pick = (rows: number[]) => rows.flatMap((i) => rows.map((j) => values[i]?.[j]?.[0] as number));
    await expectClose(depthwiseConv2d(x, centre, 2), pick([0, 2]));
    await expectClose(tf.depthwiseConv2d(x, centre, 2, 'same'), pick([1, 3]));
  });

  it('leaves its result only', async () => {
    const [map, plane] = [tensor<tf.Tensor4D>(sample([1, 3, 3, 2], 12)), tensor<tf.Tensor4D>(sample([3, 3, 2, 1], 13))];
    const [clip, filter] = [tf.expandDims(map, 1) as tf.Tensor5D, tf.expandDims(plane, 0) as tf.Tensor5D];
    await expectNoLeak(() => depthwiseConv2d(map, plane));
    await expectNoLeak(() => depthwiseConv3d(clip, filter, 2));
    await expectNoLeak(() => tf.grads((x, f) => depthwiseConv3d(x as tf.Tensor5D, f as tf.Tensor5D))([clip, filter]));
  });
});

describeOnBackends(
  'what depthwise convolutions refuse',
  () => {
    const map = () => tf.ones([1, 4, 4, 2]) as tf.Tensor4D;
    const clip = () => tf.ones([1, 2, 4, 4, 2]) as tf.Tensor5D;

    it('even kernels', () => {
      expect(() => depthwiseConv2d(map(), tf.ones([2, 3, 2, 1]))).toThrow(ConfigError);
      expect(() => depthwiseConv2d(map(), tf.ones([3, 4, 2, 1]))).toThrow('kernel: expected odd sizes, got "[3,4]"');
      expect(() => depthwiseConv3d(clip(), tf.ones([2, 3, 3, 2, 1]))).toThrow(ConfigError);
    });

    it('strides that are not positive integers', () => {
      expect(() => depthwiseConv2d(map(), tf.ones([3, 3, 2, 1]), 0)).toThrow(ConfigError);
      expect(() => depthwiseConv3d(clip(), tf.ones([3, 3, 3, 2, 1]), 1.5)).toThrow(ConfigError);
    });

    it('channels other than the filter has', () => {
      expect(() => depthwiseConv2d(map(), tf.ones([3, 3, 3, 1]))).toThrow(ShapeError);
      expect(() => depthwiseConv3d(clip(), tf.ones([3, 3, 3, 1, 2]))).toThrow(
        'x: expected shape [B,T,H,W,1], got [1,2,4,4,2].',
      );
    });
  },
  { backends: ['cpu'] },
);
