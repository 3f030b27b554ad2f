import { DecodeError, messageOf } from './errors.ts';

/**
 * The error for an optional package that could not be imported: not installed, or without a binary for this machine.
 *
 * @param names all packages that the command to install should name
 */
export function missingPackage(purpose: string, names: readonly string[], cause: unknown): DecodeError {
  const [name] = names;
  const how = isNotInstalled(cause)
    ? 'is not installed'
    : `could not be loaded (${messageOf(cause).split('\n', 1)[0]})`;
  return new DecodeError(
    'MissingPackage',
    `${purpose} needs the package ${name}, which ${how}: npm install ${names.join(' ')}`,
    {
      cause,
    },
  );
}

/** Whether an import failed because there is no such package. */
export function isNotInstalled(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
