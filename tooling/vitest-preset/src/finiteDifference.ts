import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { describeClose } from './close.ts';

export interface FiniteDifferenceOptions {
  /**
   * Largest `max |analytic - numeric| / max |numeric|` per input. Default `1e-2`, which float32 reaches for functions of
   * moderate curvature; a wrong gradient is off by far more.
   */
  readonly tolerance?: number;
  /** Step in units of an input's element. Default `1e-2`: near the best trade of truncation against float32 rounding. */
  readonly step?: number;
  /** Names of the inputs, for the message. */
  readonly names?: readonly string[];
  /** Inputs (by position) that are not differentiated, such as indices. */
  readonly constant?: readonly number[];
}

/**
 * Checks the gradients of `f` by central differences on the backend in use.
 *
 * With a fixed weight tensor `w` (one per output, values in [-1, 1], from a formula, no randomness), the scalar
 * `s(x) = sum(f(x) * w)` is differentiated by `tf.grads` and compared, element by element, with
 * `(s(x + e) - s(x - e)) / (2 e)`. The sum is taken in float64 here, so that only `f` itself rounds in float32.
 *
 * Inputs stay away from kinks (`relu` at 0) by at least one step: choosing them is the caller's part.
 */
export async function finiteDifference(
  f: (...inputs: tf.Tensor[]) => tf.Tensor | readonly tf.Tensor[],
  inputs: readonly tf.Tensor[],
  { tolerance = 1e-2, step = 1e-2, names = [], constant = [] }: FiniteDifferenceOptions = {},
): Promise<void> {
  const outputs = (tensors: tf.Tensor[]) => [f(...tensors)].flat() as tf.Tensor[];
  const variable = inputs.map((_, index) => index).filter((index) => !constant.includes(index));

  const shapes = tf.tidy(() => outputs([...inputs]).map((output) => output.shape));
  const weights = shapes.map((shape, index) => weightsFor(shape, index));

  const analytic = tf.tidy(() => {
    const weightTensors = weights.map((values, index) => tf.tensor(values, shapes[index] as number[]));
    const gradients = tf.grads((...some: tf.Tensor[]) => {
      const all = [...inputs];
      variable.forEach((position, index) => {
        all[position] = some[index] as tf.Tensor;
      });
      return weightedSum(outputs(all), weightTensors);
    });
    return gradients(variable.map((index) => inputs[index] as tf.Tensor));
  });

  const scalar = async (tensors: tf.Tensor[]): Promise<number> => {
    const results = tf.tidy(() => outputs(tensors).map((output) => tf.cast(output, 'float32')));
    let sum = 0;
    for (const [index, result] of results.entries()) {
      const values = await result.data();
      const w = weights[index] as Float32Array;
      for (let i = 0; i < values.length; i++) sum += (values[i] as number) * (w[i] as number);
    }
    tf.dispose(results);
    return sum;
  };

  for (const [order, position] of variable.entries()) {
    const input = inputs[position] as tf.Tensor;
    const gradient = analytic[order] as tf.Tensor;
    const name = names[position] ?? `input ${position}`;
    expect(gradient.shape, `shape of the gradient of ${name}`).toEqual(input.shape);
    const values = Float32Array.from(await input.data());

    const shifted = async (index: number, by: number): Promise<{ at: number; value: number }> => {
      const copy = values.slice();
      copy[index] = (values[index] as number) + by;
      const tensor = tf.tensor(copy, input.shape);
      const value = scalar(inputs.map((other, i) => (i === position ? tensor : other)));
      tensor.dispose();
      return { at: copy[index] as number, value: await value };
    };
    // All at once, so that a GPU is not waited for once an element.
    const slopes = Array.from(values, async (_, index) => {
      const [up, down] = await Promise.all([shifted(index, step), shifted(index, -step)]);
      // The step that float32 really made, not the one we asked for.
      return (up.value - down.value) / (up.at - down.at);
    });
    const numeric = Float64Array.from(await Promise.all(slopes));

    const found = await gradient.data();
    const { error, index } = describeClose(found, numeric);
    if (!(error <= tolerance)) {
      expect.fail(
        `gradient of ${name} [${input.shape}]: relative error ${error.toPrecision(3)} > tolerance ${tolerance}; ` +
          `the worst at flat index ${index}: ${found[index]}, by finite differences ${numeric[index]}`,
      );
    }
  }
  tf.dispose(analytic);
}

function weightedSum(outputs: tf.Tensor[], weights: tf.Tensor[]): tf.Scalar {
  const sums = outputs.map((output, index) => tf.sum(tf.mul(output, weights[index] as tf.Tensor)));
  return sums.reduce((total, sum) => tf.add(total, sum)) as tf.Scalar;
}

/** Fixed values in [-1, 1] without symmetries that could hide a permutation. */
function weightsFor(shape: readonly number[], seed: number): Float32Array {
  return Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, (_, i) =>
    Math.sin(1.7 * i + 0.9 + 2.3 * seed),
  );
}
