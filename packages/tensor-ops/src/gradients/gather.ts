import * as tf from '@tensorflow/tfjs-core';

/**
 * Gradient of `gather(x, indices, axis, batchDims)`: every row of `dy` is added to the row of `x` that it came from.
 *
 * With b leading batch dimensions in common, in the view
 * `x` [batch, outer, size, inner], `indices` [batch, count] -> `y` [batch, outer, count, inner],
 * rows are numbered through all batches, so that one segment sum does the whole.
 */
export function gatherGradient(
  dy: tf.Tensor,
  x: tf.Tensor,
  indices: tf.Tensor,
  axis: number,
  batchDims: number,
): tf.Tensor {
  const along = axis < 0 ? axis + x.rank : axis;
  const shared = batchDims < 0 ? batchDims + indices.rank : batchDims;
  const { sizeFromShape } = tf.util;
  const batch = sizeFromShape(x.shape.slice(0, shared));
  const outer = sizeFromShape(x.shape.slice(shared, along));
  const size = x.shape[along] as number;
  const inner = sizeFromShape(x.shape.slice(along + 1));
  const count = indices.size / batch;

  const rows = tf.transpose(tf.reshape(dy, [batch, outer, count, inner]), [0, 2, 1, 3]);
  const firstRow = tf.reshape(tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(size, 'int32')), [batch, 1]);
  const segments = tf.add(tf.reshape(indices, [batch, count]), firstRow) as tf.Tensor;
  const sums = tf.unsortedSegmentSum(
    tf.reshape(rows, [batch * count, outer * inner]),
    tf.reshape(tf.cast(segments, 'int32'), [batch * count]) as tf.Tensor1D,
    batch * size,
  );
  return tf.reshape(tf.transpose(tf.reshape(sums, [batch, size, outer, inner]), [0, 2, 1, 3]), x.shape);
}
