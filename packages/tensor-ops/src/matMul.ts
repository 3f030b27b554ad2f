import * as tf from '@tensorflow/tfjs-core';
import { ShapeError } from './errors.ts';
import { formatShape, product, sizeAt } from './shape.ts';
import { withGradient } from './withGradient.ts';

/**
 * Matrix product with a gradient that is fast and right on every backend: `y = a b`.
 *
 * `a` [..., M, K], `b` [..., K, N] -> `y` [..., M, N]. The leading (batch) dimensions broadcast as in NumPy.
 * There are no transpose flags: on the wasm backend they select a scalar path that is about 8 times slower, so a caller
 * transposes the smaller operand with {@link transposeLast} instead.
 *
 * @throws ShapeError if a rank is below 2 or the inner sizes differ
 */
export function matMul(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  if (a.rank < 2 || b.rank < 2 || a.shape.at(-1) !== b.shape.at(-2)) {
    throw new ShapeError({
      argument: 'b',
      expected: `shape [...,${a.shape.at(-1)},N] to follow a ${formatShape(a.shape)}`,
      actual: formatShape(b.shape),
    });
  }
  return withGradient(
    [a, b],
    ([a, b]) => ({ value: tf.matMul(a, b), saved: [a, b] }),
    (dy, [a, b]) => [
      sumToShape(tf.matMul(dy, transposeLast(b)), a.shape),
      sumToShape(tf.matMul(transposeLast(a), dy), b.shape),
    ],
  );
}

/** Swaps the last two dimensions: [..., M, N] -> [..., N, M]. */
export function transposeLast<T extends tf.Tensor>(x: T): T {
  const order = x.shape.map((_, axis) => axis);
  order.push(order.splice(-2, 1)[0] as number);
  return tf.transpose(x, order) as T;
}

/** Undoes broadcasting in a gradient: sums `x` over the dimensions along which a tensor of `shape` was repeated. */
export function sumToShape(x: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const extra = x.rank - shape.length;
  const axes = x.shape.flatMap((size, axis) => (axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : []));
  return axes.length === 0 ? x : tf.reshape(tf.sum(x, axes), [...shape]);
}

/**
 * Affine map over the last dimension: `y = x W + b`.
 *
 * `x` [..., I], `weight` [I, O] (the transpose of PyTorch's), `bias` [O] or none -> `y` [..., O].
 *
 * @throws ShapeError if the sizes do not match
 */
export function linear(x: tf.Tensor, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor {
  const [inputs, outputs] = weight.shape;
  if (x.shape.at(-1) !== inputs) {
    throw new ShapeError({ argument: 'x', expected: `shape [...,${inputs}]`, actual: formatShape(x.shape) });
  }
  const rows = product(x.shape.slice(0, -1));
  const y = matMul(tf.reshape(x, [rows, inputs]), weight);
  return tf.reshape(bias ? tf.add(y, bias) : y, [...x.shape.slice(0, -1), outputs]);
}

/** Splits the channels into heads: [B, N, C] -> [B, h, N, C/h]; channel c = head * C/h + e. */
export function splitHeads(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, tokens, channels] = x.shape;
  return tf.transpose(tf.reshape(x, [batch, tokens, heads, channels / heads]), [0, 2, 1, 3]) as tf.Tensor4D;
}

/** The inverse of {@link splitHeads}: [B, h, N, e] -> [B, N, h*e]. */
export function mergeHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, tokens] = x.shape;
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * sizeAt(x.shape, 3)]) as tf.Tensor3D;
}
