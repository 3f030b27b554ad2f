import { product, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Numbers that a function gets as one of its tensors. */
export interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
  /** no gradient is taken: centroids, indices */
  readonly fixed?: boolean;
}

/** So many numbers are drawn; more are these again. A prime: no two tokens are equal, whatever number of channels they have. */
const DRAWN = 250_007;

/** Normal numbers, the same for the same name and shape everywhere. */
export function normalInput(
  name: string,
  shape: readonly number[],
  {
    std = 1,
    mean = 0,
    fixed = false,
  }: { readonly std?: number; readonly mean?: number; readonly fixed?: boolean } = {},
): Input {
  const rng = new Rng(1).fork(`${name} ${shape.join('x')}`);
  const values = new Float32Array(product(shape));
  for (let i = 0; i < values.length; i++) values[i] = i < DRAWN ? rng.normal(mean, std) : (values[i - DRAWN] as number);
  return { name, shape, values, ...(fixed && { fixed }) };
}

/** Tensors of inputs: each is made once, and lives as long as the comparison. */
export class InputTensors {
  readonly #tensors = new Map<Input, tf.Tensor>();

  /** The tensor of an input; one for all contenders that share it. Not to be called first inside of a tidy. */
  of(input: Input): tf.Tensor {
    const known = this.#tensors.get(input);
    if (known !== undefined) return known;
    const dtype = input.values instanceof Int32Array ? 'int32' : 'float32';
    const made = tf.tensor(input.values, [...input.shape], dtype);
    this.#tensors.set(input, made);
    return made;
  }

  dispose(): void {
    tf.dispose([...this.#tensors.values()]);
    this.#tensors.clear();
  }
}
