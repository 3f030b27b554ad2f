import { crossEntropy } from '@saccade/engine';
import { variables } from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';
import { compareValues, type Values } from '../../core/check.ts';
import type { Bench, Contender } from '../../core/comparison.ts';
import { tfjsContender, valuesOf } from '../../core/tfjsContender.ts';
import { type Direction, type Network, type NetworkModel, workCost } from './network.ts';

/** Of logits: float32 through a hundred layers, in another order of sums. */
export const LOGITS_TOLERANCE = 2e-4;
/**
 * Of logits of networks that choose keys. Of six inputs on which DGT-S was compared, five differed by 1e-5 at most and one,
 * where a choice hung on the last bit, by 5e-4.
 */
const CHOSEN_TOLERANCE = 1e-3;
/** Of gradients, relative to the largest number of each weight's; as for networks in `tooling/conformance`. */
const GRADIENT_TOLERANCE = 2e-3;

/** The class that the one sample of a step is said to have. */
const LABEL = 1;

/** A built network with its input as a contender, checked against kernel mode `explicit` on the same backend. */
export function networkContender(
  bench: Bench,
  network: Network,
  model: NetworkModel,
  {
    x,
    direction,
    uploads,
  }: { readonly x: tf.Tensor; readonly direction: Direction; readonly uploads?: Float32Array[] },
): Contender {
  const compute = direction === 'forward' ? () => model.forward(x) : stepOf(model, x);
  return tfjsContender(bench, {
    name: network.name,
    compute,
    cost: workCost(network, direction),
    ...(uploads && { uploads }),
    async check(values) {
      const expected = await valuesOf(compute, 'explicit');
      const tolerance = network.chooses ? CHOSEN_TOLERANCE : LOGITS_TOLERANCE;
      if (direction === 'forward') return compareValues('explicit path', values, expected, tolerance);
      const [loss, ...gradients] = values;
      const [expectedLoss, ...expectedGradients] = expected;
      const floor = 1e-2 * largestOf(expectedGradients);
      return compareValues(
        'explicit path, loss and all gradients',
        [loss as ArrayLike<number>, ...withFloor(gradients, floor)],
        [expectedLoss as ArrayLike<number>, ...withFloor(expectedGradients, floor)],
        GRADIENT_TOLERANCE,
      );
    },
  });
}

/** The loss of one sample and its gradients by all weights. */
function stepOf(model: NetworkModel, x: tf.Tensor): () => tf.Tensor[] {
  const weights = variables(model.namedParameters());
  const loss = () => crossEntropy(model.forward(x), [LABEL]) as tf.Scalar;
  return () => {
    const { value, grads } = tf.variableGrads(loss, weights);
    return [value, ...Object.values(grads)];
  };
}

/**
 * Some gradients are zero by mathematics (of a bias in front of a batch normalisation) and rounding in float32. So that
 * they are not compared relative to that, each gradient is given one number more, a hundredth of the largest of all.
 */
function withFloor(gradients: Values, floor: number): Values {
  return gradients.map((gradient) => {
    const longer = new Float32Array(gradient.length + 1).fill(floor);
    longer.set(gradient);
    return longer;
  });
}

function largestOf(tensors: Values): number {
  let largest = 0;
  for (const tensor of tensors) {
    for (let i = 0; i < tensor.length; i++) largest = Math.max(largest, Math.abs(tensor[i] as number));
  }
  return largest;
}
