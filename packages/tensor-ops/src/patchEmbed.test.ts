import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { ConfigError, ShapeError } from './errors.ts';
import { patchEmbed2d, patchEmbed3d } from './patchEmbed.ts';
import { at, convolution, type Dense, fill, sample, tensor } from './testing/reference.ts';

/** The definition, in the 3-D form: `weight` [kt, p, p, C, O]. */
function reference(x: Dense, weight: Dense, bias: Dense, temporal = { stride: 1, padding: 0 }): Dense {
  const [kt, ph, pw, , outputs] = weight.shape as [number, number, number, number, number];
  const y = convolution(
    x,
    outputs,
    { kernel: [kt, ph, pw], stride: [temporal.stride, ph, pw], padding: [temporal.padding, 0, 0] },
    (t, u, v, c, o) => at(weight, t, u, v, c, o),
  );
  return fill(y.shape, (...index) => at(y, ...index) + at(bias, index[4] as number));
}

describeOnBackends('patchEmbed', () => {
  it.each([
    { x: [2, 4, 6, 3], weight: [2, 2, 3, 4] },
    { x: [1, 7, 5, 2], weight: [2, 3, 2, 3] },
    { x: [1, 3, 2, 2], weight: [1, 1, 2, 2] },
  ])('of images $x with $weight; pixels beyond the last patch do not count', async ({ x, weight }) => {
    const bias = sample(weight.slice(3), 3);
    const [clip, taps] = [sample([x[0] as number, 1, ...x.slice(1)], 1), sample([1, ...weight], 2)];
    const expected = reference(clip, taps, bias);
    const y = patchEmbed2d(
      tf.reshape(tensor(clip), x as [number, number, number, number]),
      tf.reshape(tensor(taps), weight as [number, number, number, number]),
      tensor(bias),
    );
    expect(y.shape).toEqual([expected.shape[0], ...expected.shape.slice(2)]);
    await expectClose(y, expected.data);
  });

  it.each([
    { x: [2, 4, 4, 4, 2], weight: [3, 2, 2, 2, 3], stride: 2, padding: 1 },
    { x: [1, 5, 5, 2, 2], weight: [3, 2, 2, 2, 2], stride: 2, padding: 1 },
    { x: [1, 5, 3, 3, 1], weight: [3, 2, 1, 1, 2], stride: 1, padding: 0 },
    { x: [1, 2, 2, 2, 1], weight: [3, 2, 2, 1, 2], stride: 1, padding: 2 },
    { x: [1, 7, 2, 2, 1], weight: [1, 2, 2, 1, 2], stride: 3, padding: 0 },
    { x: [1, 6, 2, 2, 1], weight: [2, 2, 2, 1, 1], stride: 4, padding: 1 },
  ])(
    'of clips $x with $weight, stride $stride and padding $padding in time',
    async ({ x, weight, stride, padding }) => {
      const [clip, taps, bias] = [sample(x, 4), sample(weight, 5), sample(weight.slice(4), 6)];
      const expected = reference(clip, taps, bias, { stride, padding });
      const y = patchEmbed3d(tensor(clip), tensor(taps), tensor(bias), { stride, padding });
      expect(y.shape).toEqual(expected.shape);
      await expectClose(y, expected.data);
    },
  );

  it('has the gradients of images', async () => {
    await finiteDifference(
      (x, w, b) => patchEmbed2d(x as tf.Tensor4D, w as tf.Tensor4D, b as tf.Tensor1D),
      [tensor(sample([1, 3, 4, 1], 7)), tensor(sample([2, 2, 1, 2], 8)), tensor(sample([2], 9))],
    );
  });

  it('has the gradients of clips', async () => {
    const temporal = { stride: 2, padding: 1 };
    await finiteDifference(
      (x, w, b) => patchEmbed3d(x as tf.Tensor5D, w as tf.Tensor5D, b as tf.Tensor1D, temporal),
      [tensor(sample([1, 3, 2, 3, 1], 10)), tensor(sample([3, 2, 1, 1, 1], 11)), tensor(sample([1], 12))],
    );
  });

  it('leaves its result only', async () => {
    const [x, weight] = [tensor<tf.Tensor4D>(sample([2, 4, 4, 2], 13)), tensor<tf.Tensor4D>(sample([2, 2, 2, 3], 14))];
    const [clip, taps] = [tf.expandDims(x, 0) as tf.Tensor5D, tf.expandDims(weight, 0) as tf.Tensor5D];
    const bias = tf.ones([3]) as tf.Tensor1D;
    await expectNoLeak(() => patchEmbed2d(x, weight, bias));
    await expectNoLeak(() => patchEmbed3d(clip, taps, bias, { stride: 2 }));
  });
});

describeOnBackends(
  'what patch embeddings refuse',
  () => {
    const clip = () => tf.ones([1, 2, 4, 4, 2]) as tf.Tensor5D;
    const weight = () => tf.ones([3, 2, 2, 2, 1]) as tf.Tensor5D;

    it('maps that are smaller than a patch', () => {
      expect(() => patchEmbed2d(tf.ones([1, 3, 8, 2]), tf.ones([4, 4, 2, 1]))).toThrow(
        'x: expected maps of at least 4x4, got "3x8".',
      );
      expect(() => patchEmbed3d(clip(), weight())).toThrow(ConfigError);
    });

    it('channels other than the weight has, a bias of another size', () => {
      expect(() => patchEmbed2d(tf.ones([1, 4, 4, 3]), tf.ones([2, 2, 2, 1]))).toThrow(ShapeError);
      expect(() => patchEmbed3d(clip(), tf.ones([1, 2, 2, 3, 1]))).toThrow(ShapeError);
      expect(() => patchEmbed3d(clip(), tf.ones([1, 2, 2, 2, 3]), tf.ones([1]))).toThrow(ShapeError);
    });

    it('strides and paddings that are no such numbers', () => {
      expect(() => patchEmbed3d(clip(), weight(), undefined, { stride: 0, padding: 1 })).toThrow(ConfigError);
      expect(() => patchEmbed3d(clip(), weight(), undefined, { stride: 1.5, padding: 1 })).toThrow(ConfigError);
      expect(() => patchEmbed3d(clip(), weight(), undefined, { padding: -1 })).toThrow(ConfigError);
    });
  },
  { backends: ['cpu'] },
);
