/**
 * The error of class `type` with which `promise` is rejected. Another error, and a fulfilled promise, fail the test.
 */
export async function rejection<T extends Error>(
  promise: Promise<unknown>,
  type: abstract new (...args: never[]) => T,
): Promise<T> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof type) return error;
    throw error;
  }
  throw new Error(`expected a ${type.name}, the promise was fulfilled with ${String(value)}`);
}
