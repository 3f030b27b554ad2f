import * as tf from '@tensorflow/tfjs-core';

/** The forward half of {@link withGradient}. */
export interface Forward<Y extends tf.Tensor, S extends readonly tf.Tensor[]> {
  readonly value: Y;
  /** Kept until the gradient has been taken; nothing else of the forward pass outlives it. */
  readonly saved: S;
}

/**
 * `tf.customGrad` with types: an operation whose gradient we state ourselves.
 *
 * Operations inside `forward` leave no trace on the gradient tape, so they need no gradients of their own.
 *
 * @param inputs what the operation is differentiable in
 * @param forward the value, and the tensors that the gradient needs
 * @param gradient gradients of the inputs, in their order, from the gradient `dy` of the value; uses `saved` only
 */
export function withGradient<
  const X extends readonly tf.Tensor[],
  Y extends tf.Tensor,
  const S extends readonly tf.Tensor[],
>(inputs: X, forward: (inputs: X) => Forward<Y, S>, gradient: (dy: Y, saved: S) => tf.Tensor[]): Y {
  const op = tf.customGrad<Y>((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const { value, saved } = forward(args as unknown as X);
    save([...saved]);
    return { value, gradFunc: (dy, kept) => gradient(dy, kept as unknown as S) };
  });
  return op(...inputs);
}
