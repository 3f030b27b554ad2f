import * as tf from '@tensorflow/tfjs-core';
import { sumToShape } from '../matMul.ts';

/** The entry of one kernel in the table of gradients. */
export type Entry = tf.GradConfig;

/** Attributes of a kernel call, as far as an entry reads them. */
type Attributes = Record<string, unknown>;

/** One tensor in, one out; the gradient follows from the input `x`. */
export function fromInput<A = Attributes>(
  kernelName: string,
  gradient: (dy: tf.Tensor, x: tf.Tensor, attributes: A) => tf.Tensor,
  input = 'x',
): Entry {
  return {
    kernelName,
    inputsToSave: [input],
    gradFunc: (dy, saved, attributes) => ({ [input]: () => gradient(dy as tf.Tensor, at(saved, 0), attributes as A) }),
  };
}

/** One tensor in, one out; the gradient follows from the output `y`, so that the input need not be kept. */
export function fromOutput<A = Attributes>(
  kernelName: string,
  gradient: (dy: tf.Tensor, y: tf.Tensor, attributes: A) => tf.Tensor,
  input = 'x',
): Entry {
  return {
    kernelName,
    outputsToSave: [true],
    gradFunc: (dy, saved, attributes) => ({ [input]: () => gradient(dy as tf.Tensor, at(saved, 0), attributes as A) }),
  };
}

/** One tensor in, one out; the gradient follows from `dy` alone. */
export function fromGradient<A = Attributes>(
  kernelName: string,
  gradient: (dy: tf.Tensor, attributes: A) => tf.Tensor,
  input = 'x',
): Entry {
  return {
    kernelName,
    gradFunc: (dy, _, attributes) => ({ [input]: () => gradient(dy as tf.Tensor, attributes as A) }),
  };
}

/**
 * Two tensors `a` and `b` that broadcast. `da` and `db` are written as if neither did; what broadcasting repeated is
 * summed here.
 */
export function binary(
  kernelName: string,
  da: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  db: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
): Entry {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = [at(saved, 0), at(saved, 1)];
      return {
        a: () => owned(sumToShape(da(dy as tf.Tensor, a, b), a.shape), dy),
        b: () => owned(sumToShape(db(dy as tf.Tensor, a, b), b.shape), dy),
      };
    },
  };
}

/** tfjs disposes gradients once they are added up, so no entry may return `dy` itself: others still need it. */
export function owned(gradient: tf.Tensor, dy: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return gradient === dy ? tf.clone(gradient) : gradient;
}

/** A function that is constant almost everywhere: a gradient of zero for each of its inputs. */
export function zero(kernelName: string, inputs: readonly string[] = ['x']): Entry {
  return {
    kernelName,
    inputsToSave: [...inputs],
    gradFunc: (_, saved) => Object.fromEntries(inputs.map((name, i) => [name, () => tf.zeros(at(saved, i).shape)])),
  };
}

/** The tensor that tfjs saved at a position; the entry itself says how many there are. */
export function at(saved: readonly tf.Tensor[], index: number): tf.Tensor {
  return saved[index] as tf.Tensor;
}

/** 1 where a condition holds, else 0. */
export function indicator(condition: tf.Tensor): tf.Tensor {
  return tf.cast(condition, 'float32');
}

/** Axes as positive numbers in rising order; all of them for `undefined`. */
export function positiveAxes(axis: number | number[] | null | undefined, rank: number): number[] {
  if (axis === undefined || axis === null) return Array.from({ length: rank }, (_, i) => i);
  return [axis].flat().map((a) => (a < 0 ? a + rank : a));
}
