/**
 * product(shape), or undefined where a product of some of its sizes is above 2^53 - 1: also for a shape with a 0, because
 * programs disagree about those.
 */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (size !== 0) count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return shape.includes(0) ? 0 : count;
}
