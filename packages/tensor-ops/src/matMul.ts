import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.ts';
import { BATCH_MAT_MUL } from './kernels/names.ts';
import { assertShape, formatShape, product, sizeAt } from './shape.ts';
import { withGradient } from './withGradient.ts';

/**
 * Matrix product with a gradient that is fast and right on every backend: `y = a b`.
 *
 * `a` [..., M, K], `b` [..., K, N] -> `y` [..., M, N]. The leading (batch) dimensions broadcast as in NumPy.
 * There are no transpose flags: on the wasm backend they select a scalar path that is about 8 times slower, so a caller
 * transposes the smaller operand with {@link transposeLast} instead.
 *
 * @throws ShapeError if a rank is below 2, the inner sizes differ or the batches do not broadcast
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
    ([a, b]) => ({ value: rawMatMul(a, b), saved: [a, b] }),
    (dy, [a, b]) => [
      sumToShape(rawMatMul(dy, transposeLast(b)), a.shape),
      sumToShape(rawMatMul(transposeLast(a), dy), b.shape),
    ],
  );
}

/** Below this many rows, tfjs' product of two matrices is faster on wasm: it keeps weights in an order of its own. */
const FEW_ROWS = 16;

/**
 * The product alone, without a gradient, on the fastest path that the backend has: where it has a kernel of ours (wasm),
 * that one, else tfjs' own.
 */
export function rawMatMul(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const groups = product(batch);
  // tfjs' own broadcasting is wrong, without a word, unless the repeated dimensions are the leading ones.
  const flat = (x: tf.Tensor) => {
    const matrix = x.shape.slice(-2);
    const full = x.size === groups * product(matrix) ? x : tf.broadcastTo(x, [...batch, ...matrix]);
    return full.rank === 3 ? full : tf.reshape(full, [groups, ...matrix]);
  };
  const operands = { a: flat(a), b: flat(b) };
  const ours =
    (groups > 1 || sizeAt(a.shape, -2) >= FEW_ROWS) &&
    a.dtype === 'float32' &&
    b.dtype === 'float32' &&
    tf.getKernel(BATCH_MAT_MUL, tf.getBackend()) !== undefined;
  const y = ours ? (tf.engine().runKernel(BATCH_MAT_MUL, operands) as tf.Tensor) : tf.matMul(operands.a, operands.b);
  return batch.length === 1 ? y : tf.reshape(y, [...batch, sizeAt(a.shape, -2), sizeAt(b.shape, -1)]);
}

/** The common shape of two batches, as NumPy broadcasts them. */
function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const padded = (shape: readonly number[]) => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const right = padded(b);
  return padded(a).map((size, axis) => {
    const other = right[axis] as number;
    if (size !== other && size !== 1 && other !== 1) {
      const expected = `batch dimensions that broadcast to ${formatShape(a)}`;
      throw new ShapeError({ argument: 'b', expected, actual: formatShape(b) });
    }
    return size === 1 ? other : size;
  });
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
  const axes = x.shape.flatMap((size, axis) =>
    axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : [],
  );
  return axes.length === 0 ? x : tf.tidy(() => tf.reshape(tf.sum(x, axes), [...shape]));
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
  return tf.tidy(() => {
    const y = matMul(tf.reshape(x, [rows, inputs]), weight);
    return tf.reshape(bias ? addBias(y, bias) : y, [...x.shape.slice(0, -1), outputs]);
  });
}

/** `x + b` over the last dimension, x [..., C] and b [C]; the gradient of b is {@link sumRows}, which is fast on wasm. */
export function addBias<T extends tf.Tensor>(x: T, b: tf.Tensor1D): T {
  assertShape('b', b, [sizeAt(x.shape, -1)]);
  return tf.tidy(() => {
    // Rows: webgpu cannot broadcast at rank 5.
    const rows = tf.reshape(x, [-1, b.size]);
    const y = withGradient(
      [rows, b],
      ([rows, b]) => ({ value: tf.add(rows, b), saved: [] }),
      // A copy: tfjs disposes gradients when it has added them up, and dy may be the caller's own.
      (dy) => [tf.clone(dy), sumRows(dy)],
    );
    return tf.reshape(y, x.shape) as T;
  });
}

/**
 * The sum of the rows of x [M, C] -> [C], as a product with a row of ones.
 *
 * wasm sums over a leading axis by transposing the whole tensor first; the product is tens of times faster there (kernels.bench.ts).
 */
export function sumRows(x: tf.Tensor): tf.Tensor1D {
  const [rows, columns] = x.shape as [number, number];
  return tf.tidy(() => tf.reshape(tf.matMul(tf.ones([1, rows]), x), [columns]) as tf.Tensor1D);
}

/** Splits the channels into heads: [B, N, C] -> [B, h, N, C/h]; channel c = head * C/h + e. */
export function splitHeads(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, tokens, channels] = x.shape;
  if (!(heads >= 1 && channels % heads === 0)) {
    throw new ConfigError('heads', `a positive integer that divides C = ${channels}`, heads);
  }
  return tf.tidy(
    () => tf.transpose(tf.reshape(x, [batch, tokens, heads, channels / heads]), [0, 2, 1, 3]) as tf.Tensor4D,
  );
}

/** The inverse of {@link splitHeads}: [B, h, N, e] -> [B, N, h*e]. */
export function mergeHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, tokens] = x.shape;
  const channels = heads * sizeAt(x.shape, 3);
  return tf.tidy(() => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, tokens, channels]) as tf.Tensor3D);
}
