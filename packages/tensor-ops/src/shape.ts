import type { Tensor } from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.ts';

/** `[2,3]`, as shapes are written in every message. */
export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(',')}]`;
}

/**
 * Throws a {@link ShapeError} unless `tensor` has the shape `pattern`.
 *
 * @param pattern sizes; a string stands for "any size" and names it in the message (`['B', 'N', 12]`)
 */
export function assertShape(
  argument: string,
  tensor: Tensor,
  pattern: readonly (number | string)[],
  hint?: string,
): void {
  const { shape } = tensor;
  const fits =
    shape.length === pattern.length && pattern.every((size, axis) => typeof size === 'string' || size === shape[axis]);
  if (!fits) {
    throw new ShapeError({
      argument,
      expected: `shape ${formatShape(pattern)}`,
      actual: formatShape(shape),
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** Throws a {@link ConfigError} unless `value` is an integer of at least `least`. */
export function assertInteger(option: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) throw new ConfigError(option, `an integer >= ${least}`, value);
}

/** The product of `sizes`; 1 for none. */
export function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

/** The size of a dimension that must exist; a programming error, not a user's, if it does not. */
export function sizeAt(shape: readonly number[], axis: number): number {
  const size = shape.at(axis);
  if (size === undefined) throw new RangeError(`axis ${axis} of shape ${formatShape(shape)}`);
  return size;
}
