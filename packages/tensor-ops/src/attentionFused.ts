import * as tf from '@tensorflow/tfjs-core';
import { ATTENTION, ATTENTION_GRAD, ATTENTION_HEAD_LIMIT } from './kernels/names.ts';
import { withGradient } from './withGradient.ts';

/**
 * The fused path of `attention`: two kernels of the backend in use, one forward, one for all gradients. Kept for the
 * gradient are the inputs, the output and one number for each query.
 *
 * @param inputs q [G, N, e], D keys [G, L, e], D values [G, L, f], with G = B*h
 * @returns [G, N, f]
 */
export function fusedAttention(inputs: readonly tf.Tensor3D[], scale: number, storage: 'f32' | 'f16'): tf.Tensor3D {
  const run = (kernel: string, tensors: readonly tf.Tensor[]) =>
    tf
      .engine()
      .runKernel(kernel, tensors as unknown as tf.NamedTensorMap, { scale, storage }) as unknown as tf.Tensor[];
  return withGradient(
    inputs,
    (inputs) => {
      const [output, logarithms] = run(ATTENTION, inputs);
      return { value: output as tf.Tensor3D, saved: [output, logarithms, ...inputs] as tf.Tensor[] };
    },
    (dy, saved) => run(ATTENTION_GRAD, [dy, ...saved]),
  );
}

/** Why the kernels do not take these inputs; `undefined` if they do. */
export function fusedRefusal(inputs: readonly tf.Tensor3D[]): string | undefined {
  const wide = inputs.find((x) => x.shape[2] > ATTENTION_HEAD_LIMIT);
  if (wide !== undefined) return `heads of up to ${ATTENTION_HEAD_LIMIT} channels, not ${wide.shape[2]}`;
  const other = inputs.find((x) => x.dtype !== 'float32');
  if (other !== undefined) return `float32, not ${other.dtype}`;
  return inputs.some((x) => x.size === 0) ? 'tensors that are not empty' : undefined;
}
