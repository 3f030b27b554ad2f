import { type KernelMode, product } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { compareValues, type Values } from '../../core/check.ts';
import type { Bench, Contender } from '../../core/comparison.ts';
import type { CheckResult, WorkCost } from '../../core/row.ts';
import { tfjsContender, valuesOf } from '../../core/tfjsContender.ts';
import { differenceCheck } from './differences.ts';
import { type Input, type InputTensors, normalInput } from './inputs.ts';
import { compareSamples, type Samples, worstOf } from './samples.ts';

/** What is timed: the value, or the value with the gradients of all inputs that are not fixed. */
export type Direction = 'forward' | 'forward+backward';

/** float32 against another order of the same sums */
const FORWARD_TOLERANCE = 2e-5;
/** the same for gradients, which sum more, and terms of either sign */
const GRADIENT_TOLERANCE = 2e-4;

/** Of differences that meet kinks; they add up to about 1e-2. */
const KINK_TOLERANCE = 5e-2;

/** A function of tensors as one of the contenders of a comparison. */
export interface FunctionWork {
  readonly name: string;
  /** default `saccade` */
  readonly role?: 'saccade' | 'peer';
  /** in the order of the arguments of `apply` */
  readonly inputs: readonly Input[];
  readonly outputShape: readonly number[];
  apply(tensors: readonly tf.Tensor[]): tf.Tensor;
  /** default `auto` */
  readonly kernels?: KernelMode;
  /** some numbers of the result by its definition, in float64 */
  samples(): Samples;
  /** whether kernel mode `explicit` is another path, and small enough to be compared with, number by number */
  readonly explicit?: boolean;
  /**
   * The function with its decisions fixed as they are made for these inputs, where it has any, such as which keys belong
   * to a group: it has the same gradients, and differences along them. The caller's to dispose.
   */
  decided?(tensors: readonly tf.Tensor[]): { apply(tensors: readonly tf.Tensor[]): tf.Tensor; dispose(): void };
  /** its maxima change places when inputs are moved: gradients are compared with the explicit path, or else roughly */
  readonly kinks?: boolean;
  /** of the forward pass */
  readonly macs?: number;
  /** trained numbers */
  readonly params?: number;
}

/**
 * The work as a contender; its tensors are those of `store`.
 *
 * It is right if some numbers of its value are those of the definition in float64, if differences of its values agree with
 * its gradients and, where it has a second path, if all numbers of both are those of that path.
 */
export function functionContender(
  bench: Bench,
  store: InputTensors,
  work: FunctionWork,
  direction: Direction,
): Contender {
  const { name, role = 'saccade', kernels = 'auto', inputs, outputShape } = work;
  const tensors = inputs.map((input) => store.of(input));
  const weights = normalInput('dy', outputShape);
  const backward = direction === 'forward+backward';
  const compute = backward ? withGradients(work, tensors, store.of(weights)) : () => work.apply(tensors);
  const check = async (values: Values): Promise<CheckResult> => {
    const [value, ...gradients] = values as [ArrayLike<number>, ...ArrayLike<number>[]];
    const checks = [compareSamples(value, work.samples(), FORWARD_TOLERANCE)];
    if (work.explicit) checks.push(...compareExplicit(values, await valuesOf(compute, 'explicit')));
    if (backward && !(work.kinks && work.explicit)) {
      const decided = work.decided?.(tensors);
      const apply = decided?.apply ?? work.apply;
      try {
        const tolerance = work.kinks ? KINK_TOLERANCE : undefined;
        const claim = { apply, inputs, tensors, kernels, weights: weights.values, gradients, tolerance };
        checks.push(await differenceCheck(claim));
      } finally {
        decided?.dispose();
      }
    }
    return worstOf(checks);
  };
  const uploads = inputs.flatMap(({ values }) => (values instanceof Float32Array ? [values] : []));
  return tfjsContender(bench, { name, role, kernels, compute, check, cost: costOf(work, direction), uploads });
}

/** Value and gradients have tolerances of their own. */
function compareExplicit(actual: Values, expected: Values): CheckResult[] {
  const compared = (from: number, to: number | undefined, tolerance: number) =>
    compareValues('explicit path', actual.slice(from, to), expected.slice(from, to), tolerance);
  return [compared(0, 1, FORWARD_TOLERANCE), compared(1, undefined, GRADIENT_TOLERANCE)];
}

/** The value, then the gradients, for a result whose numbers weigh `dy`. */
function withGradients({ inputs, apply }: FunctionWork, tensors: readonly tf.Tensor[], dy: tf.Tensor) {
  const moving = inputs.flatMap(({ fixed }, place) => (fixed ? [] : [place]));
  const valueAndGrads = tf.valueAndGrads((...some: tf.Tensor[]) => {
    const all = [...tensors];
    for (const [order, place] of moving.entries()) all[place] = some[order] as tf.Tensor;
    return apply(all);
  });
  return () => {
    const { value, grads } = valueAndGrads(
      moving.map((place) => tensors[place] as tf.Tensor),
      dy,
    );
    return [value, ...grads];
  };
}

/**
 * What the work needs at least: with gradients, three times the multiply-accumulates, and beside the inputs and the result
 * the gradient that comes in and those that go out.
 */
function costOf({ inputs, outputShape, macs, params = 0 }: FunctionWork, direction: Direction): WorkCost {
  const values = (some: readonly Input[]) => some.reduce((total, { shape }) => total + product(shape), 0);
  const [read, written] = [values(inputs), product(outputShape)];
  const gradients = values(inputs.filter(({ fixed }) => !fixed));
  const [times, numbers] = direction === 'forward' ? [1, read + written] : [3, read + 2 * written + gradients];
  return { params, bytes: 4 * numbers, ...(macs !== undefined && { macs: times * macs }) };
}
