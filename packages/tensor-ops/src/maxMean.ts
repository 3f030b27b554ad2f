import * as tf from '@tensorflow/tfjs-core';
import { ConfigError } from './errors.ts';
import { usesKernel } from './kernelMode.ts';
import { MAX_MEAN, MAX_MEAN_GRAD } from './kernels/names.ts';
import { product } from './shape.ts';
import { withGradient } from './withGradient.ts';

/**
 * The largest value and the mean along one axis, in one pass: `y[0, ...] = max over axis`, `y[1, ...] = mean over axis`.
 *
 * `x` of any rank -> [2, ...the other axes of x]. The gradient of the maximum goes to the first position that holds it,
 * as in PyTorch. A kernel of ours on wasm and webgpu (see {@link setKernelMode}), because tfjs transposes x for either
 * reduction unless the axis is the last.
 *
 * @param axis 0 to rank - 1
 * @throws ConfigError if x has no such axis
 */
export function maxMean(x: tf.Tensor, axis: number): tf.Tensor {
  if (!Number.isSafeInteger(axis) || axis < 0 || axis >= x.rank) {
    throw new ConfigError('axis', `an axis of x, 0 to ${x.rank - 1}`, axis);
  }
  const length = x.shape[axis] as number;
  const [outer, inner] = [product(x.shape.slice(0, axis)), product(x.shape.slice(axis + 1))];
  const rest = x.shape.filter((_, i) => i !== axis);
  return tf.tidy(() => {
    const y = withGradient(
      [tf.reshape(x, [outer, length, inner]) as tf.Tensor3D],
      ([x]) => {
        const y = forward(x);
        return { value: y, saved: [x, y] };
      },
      (dy, [x, y]) => [backward(dy, x, y)],
    );
    return tf.reshape(y, [2, ...rest]);
  });
}

/** Shapes here: x [outer, n, inner], y and dy [2, outer, inner]. */
function forward(x: tf.Tensor3D): tf.Tensor3D {
  if (usesKernel(MAX_MEAN)) return tf.engine().runKernel(MAX_MEAN, { x }) as tf.Tensor3D;
  return tf.stack([tf.max(x, 1), tf.mean(x, 1)]) as tf.Tensor3D;
}

function backward(dy: tf.Tensor3D, x: tf.Tensor3D, y: tf.Tensor3D): tf.Tensor3D {
  if (usesKernel(MAX_MEAN_GRAD)) return tf.engine().runKernel(MAX_MEAN_GRAD, { dy, x, y }) as tf.Tensor3D;
  const [outer, length, inner] = x.shape;
  const [dMax, dMean] = tf.split(dy, 2).map((part) => tf.reshape(part, [outer, 1, inner]));
  const first = tf.reshape(tf.argMax(x, 1), [outer, 1, inner]);
  const isFirst = tf.cast(tf.equal(tf.reshape(tf.range(0, length, 1, 'int32'), [1, length, 1]), first), 'float32');
  return tf.add(tf.mul(isFirst, dMax as tf.Tensor), tf.div(dMean as tf.Tensor, length)) as tf.Tensor3D;
}
