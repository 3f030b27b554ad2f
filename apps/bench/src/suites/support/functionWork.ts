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
export const FORWARD_TOLERANCE = 2e-5;
/** the same for gradients, which sum more, and terms of either sign */
export const GRADIENT_TOLERANCE = 2e-4;

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
  /**
   * What its numbers are compared with: the same function in kernel mode `explicit`, where that is another path; or some
   * numbers of the definition in float64, and differences for gradients.
   */
  readonly reference: 'explicit path' | (() => Samples);
  /**
   * The function with its decisions fixed as they are made for these inputs, where it has any, such as which keys belong
   * to a group: it has the same gradients, and differences along them. The caller's to dispose.
   */
  decided?(tensors: readonly tf.Tensor[]): { apply(tensors: readonly tf.Tensor[]): tf.Tensor; dispose(): void };
  /** of the forward pass */
  readonly macs?: number;
  /** trained numbers */
  readonly params?: number;
}

/** The work as a contender; its tensors are those of `store`. */
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
    if (work.reference === 'explicit path') {
      const [expected, ...expectedGradients] = (await valuesOf(compute, 'explicit')) as typeof values;
      const forward = compareValues('explicit path', [value], [expected as ArrayLike<number>], FORWARD_TOLERANCE);
      return worstOf([forward, compareValues('explicit path', gradients, expectedGradients, GRADIENT_TOLERANCE)]);
    }
    const forward = compareSamples(value, work.reference(), FORWARD_TOLERANCE);
    if (!backward) return forward;
    const decided = work.decided?.(tensors);
    const apply = decided?.apply ?? work.apply;
    const claim = { apply, inputs, tensors, kernels, weights: weights.values, gradients };
    try {
      return worstOf([forward, await differenceCheck(claim)]);
    } finally {
      decided?.dispose();
    }
  };
  const uploads = inputs.flatMap(({ values }) => (values instanceof Float32Array ? [values] : []));
  return tfjsContender(bench, { name, role, kernels, compute, check, cost: costOf(work, direction), uploads });
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
