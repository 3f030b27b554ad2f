import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfigError, ShapeError } from './errors.ts';
import { maxPool2d } from './maxPool.ts';
import { at, type Dense, sample, tensor } from './testing/reference.ts';

interface Window {
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
}

/** Values and, for dy = 1, 2, 3, ..., the gradient that goes to the first largest position of each window. */
function reference(x: Dense, { size, stride, padding }: Window) {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [rows, columns] = [height, width].map((n) => Math.floor((n + 2 * padding - size) / stride) + 1) as [
    number,
    number,
  ];
  const values: number[] = [];
  const gradient = new Float64Array(x.data.length);
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        for (let c = 0; c < channels; c++) {
          let best = { value: Number.NEGATIVE_INFINITY, row: -1, column: -1 };
          for (let u = 0; u < size * size; u++) {
            const row = i * stride + Math.floor(u / size) - padding;
            const column = j * stride + (u % size) - padding;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const value = at(x, b, row, column, c);
            if (value > best.value) best = { value, row, column };
          }
          values.push(best.value);
          gradient[((b * height + best.row) * width + best.column) * channels + c]! += values.length;
        }
      }
    }
  }
  return { shape: [batch, rows, columns, channels], values, gradient };
}

/** The gradient by x for dy = 1, 2, 3, ... */
function gradientOf(x: tf.Tensor4D, window: Window): tf.Tensor {
  return tf.tidy(() => {
    const { size, shape } = maxPool2d(x, window);
    const dy = tf.reshape(tf.range(1, size + 1), shape);
    return tf.grad((x) => maxPool2d(x as tf.Tensor4D, window))(x, dy);
  });
}

const window = fc
  .record({ size: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 1, max: 3 }) })
  .chain(({ size, stride }) =>
    fc.record({
      size: fc.constant(size),
      stride: fc.constant(stride),
      padding: fc.integer({ min: 0, max: Math.floor(size / 2) }),
    }),
  );
const shape = fc.tuple(
  fc.integer({ min: 1, max: 2 }),
  fc.integer({ min: 4, max: 7 }),
  fc.integer({ min: 4, max: 7 }),
  fc.integer({ min: 1, max: 3 }),
);

describeOnBackends('maxPool2d', (backend) => {
  const runs = { numRuns: backend.name === 'webgpu' ? 10 : 40, seed: 20262 };

  it('is its definition, with the gradient at the first of several equal maxima', async () => {
    await fc.assert(
      fc.asyncProperty(shape, window, fc.boolean(), async (shape, window, coarse) => {
        // Negative only, so that padding by zeros would show; coarse values have many ties.
        const fine = sample(shape, 1, { low: -3, high: -1 });
        const x = coarse ? { shape, data: fine.data.map(Math.round) } : fine;
        const input = tensor<tf.Tensor4D>(x);
        const expected = reference(x, window);
        const [y, dx] = [maxPool2d(input, window), gradientOf(input, window)];
        expect(y.shape).toEqual(expected.shape);
        await expectClose(y, expected.values, { tolerance: 0 });
        await expectClose(dx, expected.gradient, { tolerance: 1e-6 });
        tf.dispose([input, y, dx]);
      }),
      runs,
    );
  });

  it("has ResNet's gradient: windows of 3 that overlap, padded by 1", async () => {
    // Values more than a step apart, so that no step changes which is largest.
    const x = tf.tensor4d(
      Float32Array.from({ length: 5 * 4 * 2 }, (_, i) => ((17 * i) % 41) / 10),
      [1, 5, 4, 2],
    );
    await finiteDifference((x) => maxPool2d(x as tf.Tensor4D, { size: 3, stride: 2, padding: 1 }), [x]);
  });

  it('has windows side by side by default', async () => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 4, 1]);
    await expectClose(maxPool2d(x, { size: 2 }), tf.tensor4d([6, 8], [1, 1, 2, 1]));
  });

  it('leaves nothing behind', async () => {
    const x = tensor<tf.Tensor4D>(sample([1, 5, 5, 2], 3));
    await expectNoLeak(() => maxPool2d(x, { size: 3, stride: 2, padding: 1 }));
    await expectNoLeak(() => gradientOf(x, { size: 3, stride: 2, padding: 1 }));
  });
});

describeOnBackends(
  'maxPool2d',
  () => {
    it.each([
      [
        'padding above half the window',
        { size: 3, padding: 2 },
        ConfigError,
        /^padding: expected at most half the window, 3, got 2/,
      ],
      ['a stride of 0', { size: 2, stride: 0 }, ConfigError, /^stride: /],
      ['a window of 0', { size: 0 }, ConfigError, /^size: /],
      [
        'a map below one window',
        { size: 7, padding: 1 },
        ShapeError,
        /^x: expected a map of at least 5x5, one window, got 4x5/,
      ],
    ] as const)('refuses %s', (_, options, type, message) => {
      const call = () => maxPool2d(tf.zeros([1, 4, 5, 1]), options);
      expect(call).toThrow(type);
      expect(call).toThrow(message);
    });

    it('refuses another rank', () => {
      expect(() => maxPool2d(tf.zeros([4, 5, 1]) as never, { size: 2 })).toThrow(ShapeError);
    });
  },
  { backends: ['cpu'] },
);
