import * as tf from '@tensorflow/tfjs-core';
import { at, type Entry, fromGradient, fromInput, indicator, owned, positiveAxes } from './entry.ts';
import { gatherGradient } from './gather.ts';

/**
 * Pads `x` with zeros to `shape`, its first element at `begin`.
 *
 * One axis at a time in the view [outer, axis, inner]: on webgpu `tf.pad` itself gives garbage from rank 5 on, without
 * an exception.
 */
function placeAt(x: tf.Tensor, begin: readonly number[], shape: readonly number[]): tf.Tensor {
  let current = x;
  shape.forEach((size, axis) => {
    const [before, here] = [begin[axis] as number, current.shape[axis] as number];
    if (here === size) return;
    const outer = tf.util.sizeFromShape(current.shape.slice(0, axis));
    const inner = tf.util.sizeFromShape(current.shape.slice(axis + 1));
    const view = tf.reshape(current, [outer, here, inner]) as tf.Tensor3D;
    const rows: [number, number] = [before, size - before - here];
    const padded = tf.pad(view, [[0, 0], rows, [0, 0]]); // biome-ignore format: one row an axis reads worse
    current = tf.reshape(padded, current.shape.with(axis, size));
  });
  return owned(current, x);
}

/** Undoes repetition: sums over the repetitions, one axis at a time in the view [outer, repetition, axis, inner]. */
function sumRepetitions(dy: tf.Tensor, shape: readonly number[], repetitions: readonly number[]): tf.Tensor {
  let current = dy;
  shape.forEach((size, axis) => {
    const times = repetitions[axis] as number;
    if (times === 1) return;
    const outer = tf.util.sizeFromShape(current.shape.slice(0, axis));
    const inner = tf.util.sizeFromShape(current.shape.slice(axis + 1));
    const sum = tf.sum(tf.reshape(current, [outer, times, size, inner]), 1);
    current = tf.reshape(sum, current.shape.with(axis, size));
  });
  return owned(current, dy);
}

export const shape: readonly Entry[] = [
  fromGradient(tf.Identity, (dy) => tf.clone(dy)),
  fromGradient(tf.Cast, (dy) => tf.clone(dy)),
  fromGradient(tf.Neg, (dy) => tf.neg(dy)),
  fromInput(tf.Reshape, (dy, x) => tf.reshape(dy, x.shape), 'x'),
  fromInput(tf.ExpandDims, (dy, x) => tf.reshape(dy, x.shape), 'input'),
  fromGradient<{ perm: number[] }>(tf.Transpose, (dy, { perm }) =>
    tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm)),
  ),
  fromGradient<{ dims: number | number[] }>(tf.Reverse, (dy, { dims }) => tf.reverse(dy, positiveAxes(dims, dy.rank))),
  fromInput<{ begin: number | number[] }>(tf.Slice, (dy, x, { begin }) => {
    // tfjs accepts fewer entries than axes, and a single number for the first axis; the rest begin at 0.
    const start = [begin].flat();
    return placeAt(
      dy,
      x.shape.map((_, axis) => start[axis] ?? 0),
      x.shape,
    );
  }),
  fromInput<{ paddings: [number, number][] }>(tf.PadV2, (dy, x, { paddings }) =>
    tf.slice(
      dy,
      paddings.map(([before]) => before),
      x.shape,
    ),
  ),
  fromInput<{ reps: number[] }>(tf.Tile, (dy, x, { reps }) => sumRepetitions(dy, x.shape, reps)),
  // Lists in or out.
  {
    kernelName: tf.Concat,
    saveAllInputs: true,
    gradFunc: (dy, saved, { axis }) => {
      const joined = dy as tf.Tensor;
      const along = positiveAxes(axis as number, joined.rank)[0] as number;
      const sizes = saved.map((part) => part.shape[along] as number);
      const parts = tf.split(joined, sizes, along);
      return Object.fromEntries(parts.map((part, i) => [i, () => part]));
    },
  },
  // tfjs gives a list of one as the tensor itself.
  {
    kernelName: tf.SplitV,
    gradFunc: (dy, _, { axis }) => ({ x: () => tf.concat([dy].flat(), axis as number) }),
  },
  {
    kernelName: tf.Pack,
    saveAllInputs: true,
    gradFunc: (dy, _, { axis }) => {
      const parts = tf.unstack(dy as tf.Tensor, axis as number);
      return Object.fromEntries(parts.map((part, i) => [i, () => part]));
    },
  },
  {
    kernelName: tf.Unpack,
    gradFunc: (dy, _, { axis }) => ({ value: () => tf.stack([dy].flat(), axis as number) }),
  },
  // Choosing.
  {
    kernelName: tf.Select,
    inputsToSave: ['condition'],
    gradFunc: (dy, saved) => {
      const condition = at(saved, 0);
      return {
        condition: () => tf.zeros(condition.shape),
        t: () => tf.mul(dy as tf.Tensor, indicator(condition)),
        e: () => tf.mul(dy as tf.Tensor, indicator(tf.logicalNot(condition))),
      };
    },
  },
  {
    kernelName: tf.GatherV2,
    inputsToSave: ['x', 'indices'],
    gradFunc: (dy, saved, { axis, batchDims }) => {
      const [x, indices] = [at(saved, 0), at(saved, 1)];
      return {
        x: () => gatherGradient(dy as tf.Tensor, x, indices, axis as number, (batchDims as number | undefined) ?? 0),
        indices: () => tf.zeros(indices.shape),
      };
    },
  },
];
