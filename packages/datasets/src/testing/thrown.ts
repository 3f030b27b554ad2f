import { DatasetError } from '../errors.ts';

/** The DatasetError that an action ends with. Fails the test if there is none. */
export async function problemOf(action: () => unknown): Promise<DatasetError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof DatasetError) return error;
    throw error;
  }
  throw new Error('expected a DatasetError, nothing was thrown');
}
