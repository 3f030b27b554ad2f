import * as tf from '@tensorflow/tfjs-core';
import type { StepSource } from './data.ts';

/** Steps of plain arrays: a `DataLoader` of `@saccade/datasets` is one. */
export interface ArraySteps {
  readonly seed: number;
  epochOf(step: number): number;
  at(
    step: number,
    options: { readonly signal?: AbortSignal | undefined; readonly end: number },
  ): Promise<{
    readonly data: Float32Array | Uint8Array;
    /** [B, ...] */
    readonly shape: readonly number[];
    /** [B] */
    readonly labels: Int32Array;
  }>;
}

/**
 * The same steps with their values as float32 tensors [B, H, W, C] or [B, T, H, W, C], for `train`.
 *
 * @param prepare changes the inputs, for example normalises bytes; what it makes beside its result is freed. Default: bytes
 *   become the floats 0 ... 255
 */
export function tensorSteps<X extends tf.Tensor = tf.Tensor>(
  steps: ArraySteps,
  prepare: (inputs: tf.Tensor) => tf.Tensor = (inputs) => inputs,
): StepSource<X, Int32Array> {
  return {
    seed: steps.seed,
    epochOf: (step) => steps.epochOf(step),
    async at(step, options) {
      const { data, shape, labels } = await steps.at(step, options);
      const values = data instanceof Float32Array ? data : Float32Array.from(data);
      return { inputs: tf.tidy(() => prepare(tf.tensor(values, [...shape], 'float32'))) as X, labels };
    },
  };
}
