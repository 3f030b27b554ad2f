import type { StateDict, StateTensor } from '@saccade/nn';
import { ConfigError, product } from '@saccade/tensor-ops';

/**
 * Spreads the weights of an image network over time: every weight that gains a time axis in `target` is repeated along
 * it and divided by its length, so that a clip of one repeated picture gives (away from the ends) what the picture gave.
 *
 * Linear, norm and bias tensors pass unchanged; so do names that `target` lacks, for strict loading to report.
 * Source: UniFormer's public code; for conv_k and conv_v inferred.
 *
 * @param target PyTorch shapes of the video network by name, as of `await video.stateDict()`
 * @throws ConfigError if a shape differs by anything but one time axis
 */
export function inflateStateDict(
  image: StateDict,
  target: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): Map<string, StateTensor> {
  return new Map(
    [...image].map(([name, tensor]) => {
      const shape = target.get(name)?.shape;
      if (shape === undefined || shape.length === tensor.shape.length) return [name, tensor];
      return [name, inflate(name, tensor, shape)];
    }),
  );
}

function inflate(name: string, { dtype, shape, data }: StateTensor, target: readonly number[]): StateTensor {
  const [outputs, inputs, frames, ...space] = target;
  const fits = shape.length === 4 && `${[outputs, inputs, ...space]}` === `${shape}`;
  if (!fits || frames === undefined) {
    throw new ConfigError(name, `a shape that gains one time axis to become [${target}]`, shape);
  }
  const plane = product(space);
  const values = new Float32Array(product(target));
  for (let i = 0; i < values.length; i++) {
    const filter = Math.floor(i / (frames * plane));
    values[i] = Number(data[filter * plane + (i % plane)]) / frames;
  }
  return { dtype, shape: target, data: values };
}
