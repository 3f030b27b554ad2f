import * as tf from '@tensorflow/tfjs-core';
import type { GroupRouting } from './dynamicGroups.ts';
import { ATTENTION_HEAD_LIMIT, GROUPED_ATTENTION, GROUPED_ATTENTION_GRAD } from './kernels/names.ts';
import { withGradient } from './withGradient.ts';

/**
 * The fused path of `groupedAttention`: two kernels of the backend in use, one forward, one for all gradients. Kept for
 * the gradient are the inputs, the output and what else the forward kernel gives for it.
 */
export function fusedGroupedAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { assignment, keys }: GroupRouting,
  scale: number,
): tf.Tensor4D {
  const run = (kernel: string, inputs: readonly tf.Tensor[]) =>
    tf.engine().runKernel(kernel, inputs as unknown as tf.NamedTensorMap, { scale }) as unknown as tf.Tensor[];
  return withGradient(
    [q, k, v],
    (inputs) => {
      const all: readonly tf.Tensor[] = [...inputs, assignment, keys];
      const results = run(GROUPED_ATTENTION, all);
      return { value: results[0] as tf.Tensor4D, saved: [...all, ...results] as readonly tf.Tensor[] };
    },
    (dy, saved) => run(GROUPED_ATTENTION_GRAD, [dy, ...saved]),
  );
}

/** Why the kernels do not take these inputs; `undefined` if they do. */
export function groupedRefusal(q: tf.Tensor4D, k: tf.Tensor4D, { keys }: GroupRouting): string | undefined {
  if (q.shape[3] > ATTENTION_HEAD_LIMIT) return `heads of up to ${ATTENTION_HEAD_LIMIT} channels, not ${q.shape[3]}`;
  const other = [q, k].find((x) => x.dtype !== 'float32');
  if (other !== undefined) return `float32, not ${other.dtype}`;
  return q.size === 0 || k.size === 0 || keys.size === 0 ? 'tensors that are not empty' : undefined;
}
