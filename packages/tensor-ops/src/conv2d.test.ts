import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { conv2d } from './conv2d.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { at, convolution, type Dense, fill, sample, tensor } from './testing/reference.ts';

interface Problem {
  readonly x: readonly [number, number, number, number];
  readonly filter: readonly [number, number, number, number];
  readonly stride: number;
  readonly padding: readonly [number, number];
}

/** The definition, of [B, H, W, C] and [kh, kw, C, O]. */
function reference(x: Dense, filter: Dense, { stride, padding }: Problem): Dense {
  const [batch, ...map] = x.shape as [number, ...number[]];
  const [kh, kw, , outputs] = filter.shape as [number, number, number, number];
  const clip = { shape: [batch, 1, ...map], data: x.data };
  const sampling = { kernel: [1, kh, kw], stride: [1, stride, stride], padding: [0, ...padding] } as const;
  return convolution(clip, outputs, sampling, (_, u, v, c, o) => at(filter, u, v, c, o));
}

/** The gradients for dy, from the same definition: y is linear in x and in the filter. */
function referenceGradients(x: Dense, filter: Dense, dy: Dense, { stride, padding }: Problem): [Dense, Dense] {
  const [batch, rows, columns] = dy.shape as [number, number, number, number];
  const [dx, dFilter] = [fill(x.shape, () => 0), fill(filter.shape, () => 0)];
  const [kh, kw, inputs, outputs] = filter.shape as [number, number, number, number];
  const [, height, width] = x.shape as [number, number, number, number];
  for (let at = 0; at < batch * rows * columns * kh * kw; at++) {
    const [v, u] = [at % kw, Math.floor(at / kw) % kh];
    const place = Math.floor(at / (kw * kh));
    const [b, i, j] = [Math.floor(place / (rows * columns)), Math.floor(place / columns) % rows, place % columns];
    const [row, column] = [i * stride + u - padding[0], j * stride + v - padding[1]];
    if (row < 0 || row >= height || column < 0 || column >= width) continue;
    for (let c = 0; c < inputs; c++) {
      for (let o = 0; o < outputs; o++) {
        const [xAt, wAt] = [
          ((b * height + row) * width + column) * inputs + c,
          ((u * kw + v) * inputs + c) * outputs + o,
        ];
        const slope = dy.data[place * outputs + o] as number;
        dx.data[xAt]! += slope * (filter.data[wAt] as number);
        dFilter.data[wAt]! += slope * (x.data[xAt] as number);
      }
    }
  }
  return [dx, dFilter];
}

const integer = (min: number, max: number) => fc.integer({ min, max });
const problem: fc.Arbitrary<Problem> = fc
  .record({
    kh: integer(1, 4),
    kw: integer(1, 4),
    inputs: integer(1, 3),
    outputs: integer(1, 3),
    stride: integer(1, 3),
  })
  .chain(({ kh, kw, inputs, outputs, stride }) =>
    fc.record({
      x: fc.tuple(integer(1, 2), integer(kh, 7), integer(kw, 7), fc.constant(inputs)),
      filter: fc.constant([kh, kw, inputs, outputs] as const),
      stride: fc.constant(stride),
      padding: fc.tuple(integer(0, kh - 1), integer(0, kw - 1)),
    }),
  );

describeOnBackends('conv2d', (backend) => {
  const runs = { numRuns: backend.name === 'webgpu' ? 15 : 60, seed: 20263 };

  it('is the direct convolution, and so are its gradients', async () => {
    await fc.assert(
      fc.asyncProperty(problem, async (problem) => {
        const { stride, padding } = problem;
        const [x, filter] = [sample(problem.x, 1), sample(problem.filter, 2)];
        const inputs = [tensor<tf.Tensor4D>(x), tensor<tf.Tensor4D>(filter)] as const;
        const y = conv2d(...inputs, { stride, padding });
        const expected = reference(x, filter, problem);
        expect(y.shape).toEqual([expected.shape[0], ...expected.shape.slice(2)]);
        await expectClose(y, expected.data);
        const dy = sample(y.shape, 3);
        const slope = tensor<tf.Tensor4D>(dy);
        const gradients = tf.grads((x, filter) => conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { stride, padding }))([...inputs], slope); // biome-ignore format: one call
        const [dx, dFilter] = referenceGradients(x, filter, dy, problem);
        await expectClose(gradients[0]!, dx.data);
        await expectClose(gradients[1]!, dFilter.data);
        tf.dispose([...inputs, y, slope, ...gradients]);
      }),
      runs,
    );
  });

  it.each([
    ["ResNet's stem", [1, 6, 5, 1], [7, 7, 1, 1], 2, 3],
    ["ResNet's strided 3x3 on an odd size", [1, 5, 4, 2], [3, 3, 2, 1], 2, 1],
    ["ResNet's strided shortcut", [2, 4, 3, 2], [1, 1, 2, 2], 2, 0],
  ] as const)('has gradients: %s', async (_, x, filter, stride, padding) => {
    await finiteDifference(
      (x, filter) => conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, { stride, padding }),
      [tensor(sample(x, 4)), tensor(sample(filter, 5))],
    );
  });

  it('leaves nothing behind', async () => {
    const inputs = [
      tensor<tf.Tensor4D>(sample([1, 5, 5, 2], 6)),
      tensor<tf.Tensor4D>(sample([3, 3, 2, 2], 7)),
    ] as const;
    const options = { stride: 2, padding: 1 };
    await expectNoLeak(() => conv2d(...inputs, options));
    await expectNoLeak(() => tf.grads((x, w) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, options))([...inputs]));
  });
});

describeOnBackends(
  'conv2d',
  () => {
    it.each([
      ['other channels', [1, 4, 4, 2], {}, ShapeError, /^x: expected shape \[B,H,W,3\], got \[1,4,4,2\]/],
      ['another rank', [4, 4, 3], {}, ShapeError, /^x: expected shape \[B,H,W,3\]/],
      ['a map below one filter', [1, 4, 1, 3], {}, ShapeError, /^x: expected a width of at least 2, one filter, got 1/],
      ['a stride of 0', [1, 4, 4, 3], { stride: 0 }, ConfigError, /^stride: /],
      ['padding of half a row', [1, 4, 4, 3], { padding: 0.5 }, ConfigError, /^padding: expected an integer/],
      [
        'padding beyond the filter',
        [1, 4, 4, 3],
        { padding: [0, 2] },
        ConfigError,
        /^padding: expected less than the kernel, 2, got 2/,
      ],
    ] as const)('refuses %s', (_, shape, options, type, message) => {
      const call = () => conv2d(tf.zeros<tf.Rank>([...shape]) as tf.Tensor4D, tf.zeros([3, 2, 3, 1]), options);
      expect(call).toThrow(type);
      expect(call).toThrow(message);
    });
  },
  { backends: ['cpu'] },
);
