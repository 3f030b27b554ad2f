import { product, type Rng } from '@saccade/tensor-ops';

/** Makes the first values of a weight of our `shape`, in our layout. */
export type Initializer = (shape: readonly number[]) => Float32Array;

/** All zero. */
export const zeros: Initializer = (shape) => new Float32Array(product(shape));

/** All `value`. */
export function constant(value: number): Initializer {
  return (shape) => new Float32Array(product(shape)).fill(value);
}

/** Uniform in [-bound, bound). */
export function uniform(rng: Rng, bound: number): Initializer {
  return (shape) => Float32Array.from({ length: product(shape) }, () => rng.uniform(-bound, bound));
}

/**
 * PyTorch's default for weights and biases of convolutions: uniform, bound `1/sqrt(fanIn)`.
 *
 * @param fanIn inputs of one output value: input channels (1 if depthwise) times taps
 */
export function fanInUniform(rng: Rng, fanIn: number): Initializer {
  return uniform(rng, 1 / Math.sqrt(fanIn));
}

/** Normal with mean 0, cut at +-2: what ViTs use for Linear weights. */
export function truncatedNormal(rng: Rng, std = 0.02): Initializer {
  return (shape) => Float32Array.from({ length: product(shape) }, () => rng.truncatedNormal(0, std, -2, 2));
}

/** Normal with mean 0. */
export function normal(rng: Rng, std: number): Initializer {
  return (shape) => Float32Array.from({ length: product(shape) }, () => rng.normal(0, std));
}

/**
 * Kaiming's normal initialisation for layers that a ReLU follows: std `sqrt(2 / fan)`. Source: He et al., arXiv 1502.01852.
 *
 * @param fan inputs of one output value (fan-in) or outputs that one input value reaches (fan-out): channels times taps
 */
export function kaimingNormal(rng: Rng, fan: number): Initializer {
  return normal(rng, Math.sqrt(2 / fan));
}
