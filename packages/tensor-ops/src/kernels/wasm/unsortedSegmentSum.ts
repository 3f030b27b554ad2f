import * as tf from '@tensorflow/tfjs-core';
import { wasmKernel } from './backend.ts';

/**
 * Sums of the rows that carry the same number: `y[s] = sum of x[i] with segmentIds[i] = s`.
 *
 * x [n, ...row], segmentIds [n] (int32) -> y [numSegments, ...row]. Rows with a number outside of [0, numSegments) are
 * left out, as on the other backends.
 */
export const unsortedSegmentSum = wasmKernel<'x' | 'segmentIds', { numSegments: number }>(
  tf.UnsortedSegmentSum,
  ({ inputs, attrs: { numSegments }, backend }) => {
    const { x, segmentIds } = inputs;
    const row = x.shape.slice(segmentIds.shape.length);
    const size = tf.util.sizeFromShape(row);
    const result = backend.makeOutput([numSegments, ...row], x.dtype);
    const sums = backend.typedArrayFromHeap(result).fill(0);
    const values = backend.typedArrayFromHeap(x);
    const ids = backend.typedArrayFromHeap(segmentIds);
    for (let i = 0; i < ids.length; i++) {
      const segment = ids[i] as number;
      if (segment < 0 || segment >= numSegments) continue;
      for (let k = 0; k < size; k++) (sums[segment * size + k] as number) += values[i * size + k] as number;
    }
    return result;
  },
);
