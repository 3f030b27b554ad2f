import type { Module } from '@saccade/nn';
import { ConfigError, SaccadeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Gradients by the names of the parameters; a parameter that the loss does not use is not in it. */
export type Gradients = ReadonlyMap<string, tf.Tensor>;

/** What {@link valueAndGradients} returns: the caller's to dispose. */
export interface ValueAndGradients {
  readonly value: tf.Scalar;
  readonly gradients: Gradients;
}

/**
 * A loss and its gradients by all trained weights of `model`.
 *
 * A weight on which the loss does not depend gets no gradient, as in PyTorch. Everything else that `loss` computes is
 * freed. The running statistics of layers in training mode are updated, as in any forward pass.
 *
 * @param loss computes a scalar through the model's `forward`
 * @throws ConfigError if the model has no weights; SaccadeError if the loss depends on none of them
 */
export function valueAndGradients(model: Module, loss: () => tf.Scalar): ValueAndGradients {
  const parameters = model.namedParameters();
  if (parameters.size === 0)
    throw new ConfigError('model', 'a module with parameters', `${model.constructor.name} without`);
  const variables = [...parameters.values()].map(({ variable }) => variable);
  try {
    const { value, grads } = tf.variableGrads(loss, variables);
    const gradients = new Map<string, tf.Tensor>();
    for (const [name, { variable }] of parameters) {
      const gradient = grads[variable.name];
      if (gradient) gradients.set(name, gradient);
    }
    return { value, gradients };
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.startsWith('Cannot find a connection'))) throw cause;
    throw new SaccadeError(
      "loss: expected a scalar that depends on the model's weights. Compute it with operations on the result of forward().",
      { cause },
    );
  }
}

/** The length of all gradients taken as one vector: `sqrt(sum of squares)`. */
export function gradientNorm(gradients: Gradients): tf.Scalar {
  return tf.tidy(() => {
    const squares = [...gradients.values()].map((gradient) => tf.sum(tf.square(gradient)));
    // Pair by pair: on webgpu, addN of more tensors than a shader may bind is an error.
    return tf.sqrt(squares.reduce((total, square) => tf.add(total, square), tf.scalar(0))) as tf.Scalar;
  });
}

/** What {@link clipGradients} returns: the caller's to dispose, like the gradients that it was given. */
export interface ClippedGradients {
  readonly gradients: Gradients;
  /** length before clipping */
  readonly norm: tf.Scalar;
}

/**
 * Shortens gradients to a total length of at most `maxNorm`: `g * min(1, maxNorm / (norm + 1e-6))`, as PyTorch's
 * `clip_grad_norm_`. Nothing is read back from the device.
 *
 * @throws ConfigError unless maxNorm is positive
 */
export function clipGradients(gradients: Gradients, maxNorm: number): ClippedGradients {
  if (!(maxNorm > 0)) throw new ConfigError('maxNorm', 'a positive number', maxNorm);
  const norm = gradientNorm(gradients);
  const factor = tf.tidy(() => tf.minimum(tf.div(maxNorm, tf.add(norm, 1e-6)), 1));
  const clipped = new Map([...gradients].map(([name, gradient]) => [name, tf.mul(gradient, factor)]));
  factor.dispose();
  return { gradients: clipped, norm };
}
