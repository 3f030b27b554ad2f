/** The error of class `type` that `run` throws. Another error, and a normal return, fail the test. */
export function thrown<T extends Error>(run: () => unknown, type: abstract new (...args: never[]) => T): T {
  let value: unknown;
  try {
    value = run();
  } catch (error) {
    if (error instanceof type) return error;
    throw error;
  }
  throw new Error(`expected a ${type.name}, nothing was thrown and ${String(value)} returned`);
}
