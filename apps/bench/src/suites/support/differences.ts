import { type KernelMode, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { compareValues, type Values } from '../../core/check.ts';
import type { CheckResult } from '../../core/row.ts';
import { valuesOf } from '../../core/tfjsContender.ts';
import type { Input } from './inputs.ts';

/** How far an input is moved, in units of its root mean square: small, so that few maxima change places, and large against rounding, which sums over all numbers average out. */
const STEP = 1e-3;

/**
 * What differences of float32 results can tell: rounding and curvature take about 1e-3 of them. A gradient with a wrong
 * term, factor, sign or head is off by far more.
 */
const DIFFERENCE_TOLERANCE = 1e-2;

/** A function and a point at which its gradients are claimed. */
export interface Claim {
  /** [...inputs] -> the result */
  apply(tensors: readonly tf.Tensor[]): tf.Tensor;
  readonly inputs: readonly Input[];
  readonly tensors: readonly tf.Tensor[];
  readonly kernels: KernelMode;
  /** what the results are weighed with: the gradient is that of `sum(weights * result)` */
  readonly weights: ArrayLike<number>;
  /** the gradients of those inputs that are not fixed, in their order */
  readonly gradients: Values;
  /** default {@link DIFFERENCE_TOLERANCE} */
  readonly tolerance?: number | undefined;
}

/**
 * Compares each gradient with a central difference along a direction that moves every number the way its gradient says,
 * by a random amount. All terms of the product of gradient and direction are positive, so none hides another; where a
 * gradient is zero the sign is random, so that a gradient of zeros is refused. Sums are float64, and steps are those
 * that float32 really made.
 */
export async function differenceCheck(claim: Claim): Promise<CheckResult> {
  const { apply, inputs, tensors, kernels, weights, gradients, tolerance = DIFFERENCE_TOLERANCE } = claim;
  const moving = inputs.flatMap(({ fixed }, place) => (fixed ? [] : [place]));
  const [claimed, found]: [number[], number[]] = [[], []];
  for (const [order, place] of moving.entries()) {
    const { shape, values } = inputs[place] as Input;
    const gradient = gradients[order] as ArrayLike<number>;
    const step = directed(values, gradient);
    const resultOf = async (direction: 1 | -1) => {
      const moved = Float32Array.from(values, (value, i) => value + direction * (step[i] as number));
      const [result] = await valuesOf(() => {
        const all = [...tensors];
        all[place] = tf.tensor(moved, [...shape]);
        return apply(all);
      }, kernels);
      return { moved, sum: dot(result as ArrayLike<number>, weights) };
    };
    const [up, down] = [await resultOf(1), await resultOf(-1)];
    const steps = up.moved.map((value, i) => value - (down.moved[i] as number));
    claimed.push(dot(gradient, steps));
    found.push(up.sum - down.sum);
  }
  // Each input for itself: the largest must not hide the others.
  const asTensors = (numbers: readonly number[]) => numbers.map((number) => [number]);
  return compareValues('differences along each gradient', asTensors(claimed), asTensors(found), tolerance);
}

/** The direction: so many random amounts, again and again. */
const AMOUNTS = 8191;

function directed(values: ArrayLike<number>, gradient: ArrayLike<number>): Float64Array {
  const rng = new Rng(7);
  const amounts = Float64Array.from({ length: AMOUNTS }, () => rng.uniform(0.5, 1.5));
  const size = STEP * (Math.sqrt(dot(values, values) / values.length) || 1);
  const step = new Float64Array(values.length);
  for (let i = 0; i < step.length; i++) {
    const amount = amounts[i % AMOUNTS] as number;
    const sign = Math.sign(gradient[i] as number) || (amount < 1 ? -1 : 1);
    step[i] = sign * amount * size;
  }
  return step;
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
