import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { ShapeError } from './errors.ts';
import { addBias, linear, matMul, mergeHeads, splitHeads, sumRows, sumToShape, transposeLast } from './matMul.ts';
import { at, type Dense, fill, sample, sum, tensor } from './testing/reference.ts';

/** The definition: leading dimensions broadcast, the last two multiply. */
function reference(a: Dense, b: Dense): Dense {
  const batch = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const index = (x: Dense, leading: number[]) =>
    leading.slice(batch.length - (x.shape.length - 2)).map((i, axis) => (x.shape[axis] === 1 ? 0 : i));
  return fill([...batch, rows, b.shape.at(-1) as number], (...position) => {
    const [leading, i, j] = [position.slice(0, -2), position.at(-2) as number, position.at(-1) as number];
    return sum(inner, (k) => at(a, ...index(a, leading), i, k) * at(b, ...index(b, leading), k, j));
  });
}

describeOnBackends('matMul', () => {
  it.each([
    { a: [3, 5], b: [5, 2] },
    { a: [1, 3, 5], b: [1, 5, 2] },
    { a: [1, 1], b: [1, 1] },
    { a: [6, 4, 8], b: [6, 8, 4] },
    // Sizes beside multiples of 4, where SIMD code has its remainders.
    { a: [3, 5, 7], b: [3, 7, 3] },
    { a: [2, 1, 9], b: [2, 9, 13] },
    { a: [2, 17, 1], b: [2, 1, 5] },
    { a: [2, 3, 6, 3], b: [2, 3, 3, 6] },
  ])('of equal batches: $a $b', async ({ a, b }) => {
    const [x, y] = [sample(a, 1), sample(b, 2)];
    const product = matMul(tensor(x), tensor(y));
    expect(product.shape).toEqual(reference(x, y).shape);
    await expectClose(product, reference(x, y).data);
  });

  it.each([
    { a: [2, 3, 4], b: [4, 2] },
    { a: [3, 4], b: [2, 4, 2] },
    { a: [2, 1, 3, 4], b: [3, 4, 2] },
    { a: [2, 1, 3, 4], b: [1, 2, 4, 1] },
  ])('with batches that broadcast: $a $b', async ({ a, b }) => {
    const [x, y] = [sample(a, 3), sample(b, 4)];
    const product = matMul(tensor(x), tensor(y));
    expect(product.shape).toEqual(reference(x, y).shape);
    await expectClose(product, reference(x, y).data);
  });

  it('sees new values in memory that an earlier product has used', async () => {
    for (let seed = 0; seed < 4; seed++) {
      const [x, y] = [sample([2, 5, 6], seed), sample([2, 6, 3], seed + 100)];
      const operands = [tensor(x), tensor(y)] as const;
      await expectClose(
        tf.tidy(() => matMul(...operands)),
        reference(x, y).data,
      );
      tf.dispose([...operands]);
    }
  });

  it.each([
    { a: [2, 3], b: [3, 2] },
    { a: [2, 2, 3], b: [2, 3, 1] },
    { a: [2, 1, 2], b: [2, 3] },
    { a: [2, 2], b: [2, 2, 3] },
    { a: [2, 1, 1, 2], b: [1, 2, 2, 1] },
  ])('has the gradients of $a $b', async ({ a, b }) => {
    await finiteDifference(
      (x, y) => matMul(x as tf.Tensor, y as tf.Tensor),
      [tensor(sample(a, 5)), tensor(sample(b, 6))],
    );
  });

  it('leaves its result only', async () => {
    const [a, b] = [tensor(sample([2, 3, 4], 7)), tensor(sample([2, 4, 5], 8))];
    await expectNoLeak(() => matMul(a, b));
    await expectNoLeak(() => tf.grads((a, b) => matMul(a as tf.Tensor, b as tf.Tensor))([a, b]));
  });
});

describeOnBackends('linear, addBias, sumRows', () => {
  const [x, w, b] = [sample([2, 3, 4], 1), sample([4, 5], 2), sample([5], 3)];

  it('is x W + b over the last dimension', async () => {
    const expected = fill([2, 3, 5], (i, j, o) => {
      const products = sum(4, (c) => at(x, i as number, j as number, c) * at(w, c, o as number));
      return products + at(b, o as number);
    });
    const y = linear(tensor(x), tensor(w), tensor(b));
    expect(y.shape).toEqual([2, 3, 5]);
    await expectClose(y, expected.data);
    await expectClose(
      linear(tensor(x), tensor(w)),
      fill([2, 3, 5], (...i) => at(expected, ...i) - at(b, i[2] as number)).data,
    );
  });

  it('has the gradients of x, W and b', async () => {
    await finiteDifference(
      (x, w, b) => linear(x as tf.Tensor, w as tf.Tensor2D, b as tf.Tensor1D),
      [tensor(sample([1, 2, 3], 4)), tensor(sample([3, 2], 5)), tensor(sample([2], 6))],
    );
  });

  it('adds a bias to maps of any rank, with its gradient', async () => {
    const map = sample([1, 2, 1, 2, 3], 7);
    const bias = sample([3], 8);
    const expected = fill(map.shape, (...i) => at(map, ...i) + at(bias, i[4] as number));
    await expectClose(addBias(tensor(map), tensor(bias)), expected.data);
    await finiteDifference((x, b) => addBias(x as tf.Tensor, b as tf.Tensor1D), [tensor(map), tensor(bias)]);
  });

  it('gives a tensor that is used twice the sum of both gradients', async () => {
    const f = (x: tf.Tensor, b: tf.Tensor) => tf.add(addBias(x, b as tf.Tensor1D), tf.square(x));
    await finiteDifference(f as (...inputs: tf.Tensor[]) => tf.Tensor, [
      tensor(sample([2, 2], 9)),
      tensor(sample([2], 10)),
    ]);
  });

  it('sums rows', async () => {
    const rows = sample([7, 3], 11);
    await expectClose(sumRows(tensor(rows)), fill([3], (c) => sum(7, (r) => at(rows, r, c as number))).data);
  });

  it('leaves its result only', async () => {
    const tensors = [tensor(x), tensor<tf.Tensor2D>(w), tensor<tf.Tensor1D>(b)] as const;
    await expectNoLeak(() => linear(...tensors));
    await expectNoLeak(() => tf.grads((x) => linear(x as tf.Tensor, tensors[1], tensors[2]))([tensors[0]]));
  });
});

describeOnBackends(
  'splitHeads, mergeHeads, transposeLast, sumToShape',
  () => {
    it('puts channel head * e + i of a token into its head, and back', async () => {
      const x = sample([2, 3, 8], 1);
      const heads = splitHeads(tensor(x), 4);
      expect(heads.shape).toEqual([2, 4, 3, 2]);
      await expectClose(heads, fill([2, 4, 3, 2], (b, h, n, i) => at(x, b as number, n as number, 2 * (h as number) + (i as number))).data, { tolerance: 0 }); // biome-ignore format: one formula
      await expectClose(mergeHeads(heads), tensor(x), { tolerance: 0 });
    });

    it('swaps the last two dimensions', async () => {
      const x = sample([2, 2, 3], 2);
      const expected = fill([2, 3, 2], (b, j, i) => at(x, b as number, i as number, j as number));
      await expectClose(transposeLast(tensor(x)), tensor(expected), { tolerance: 0 });
    });

    it('sums over what was repeated, and nothing else', async () => {
      await expectClose(sumToShape(tf.ones([2, 3, 4]), [1, 4]), tf.fill([1, 4], 6));
      await expectClose(sumToShape(tf.ones([2, 3]), []), tf.scalar(6));
      await expectClose(sumToShape(tf.ones([1, 3]), [1, 3]), tf.ones([1, 3]));
    });
  },
  { backends: ['cpu'] },
);

describeOnBackends(
  'what matMul and linear refuse',
  () => {
    it('inner sizes that differ, vectors, batches that do not broadcast', () => {
      expect(() => matMul(tf.ones([2, 3]), tf.ones([4, 2]))).toThrow(
        new ShapeError({ argument: 'b', expected: 'shape [...,3,N] to follow a [2,3]', actual: '[4,2]' }),
      );
      expect(() => matMul(tf.ones([3]), tf.ones([3, 2]))).toThrow(ShapeError);
      expect(() => matMul(tf.ones([2, 1, 3]), tf.ones([3, 3, 1]))).toThrow(ShapeError);
    });

    it('inputs and biases of another size', () => {
      expect(() => linear(tf.ones([2, 3]), tf.ones([4, 2]))).toThrow(ShapeError);
      expect(() => linear(tf.ones([2, 4]), tf.ones([4, 2]), tf.ones([1]))).toThrow(ShapeError);
    });
  },
  { backends: ['cpu'] },
);
