import { type Input, normalInput } from '../support/inputs.ts';

/** Normal numbers as multiples of 1 / `steps`: products of those with few digits are exact in float32, and decisions that hang on them the same on all paths. */
export function steppedInput(
  name: string,
  shape: readonly number[],
  steps: number,
  options: Parameters<typeof normalInput>[2] = {},
): Input {
  const input = normalInput(name, shape, options);
  return { ...input, values: (input.values as Float32Array).map((value) => Math.round(value * steps) / steps) };
}
