import { CommandFailure } from '../terminal/failure.ts';

/**
 * A decoder that is not installed says nothing about the data.
 *
 * @throws CommandFailure if the error, or its cause, is about that
 */
export function refuseWithoutDecoder(error: unknown): void {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ('code' in one && one.code === 'MissingPackage')
      throw new CommandFailure(`nothing can be decoded: ${one.message}`);
  }
}
