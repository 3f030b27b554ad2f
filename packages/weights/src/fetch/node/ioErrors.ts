import { messageOf } from '../../source/errors.ts';
import { FetchWeightsError } from '../errors.ts';

/**
 * Runs operations on the disk and names what the system reports. Other errors, an abort among them, pass unchanged.
 *
 * @throws FetchWeightsError NoSpace, CacheIo
 */
export async function onDisk<T>(place: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    const code = codeOf(cause);
    if (code === 'ENOSPC' || code === 'EDQUOT') throw noSpace(place, { cause });
    const advice =
      code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? 'Make the folder writable, or choose another: fileCache({ directory }), or the variable SACCADE_CACHE.'
        : 'The cause of this error holds the details.';
    throw new FetchWeightsError('CacheIo', `the cache in ${place} failed: ${messageOf(cause)}. ${advice}`, { cause });
  }
}

export function noSpace(place: string, options?: ErrorOptions): FetchWeightsError {
  return new FetchWeightsError(
    'NoSpace',
    `the disk of ${place} is full. Free some space, or choose another folder (fileCache({ directory })). What was ` +
      'downloaded so far is kept and will be resumed; cache.clear() removes it.',
    options,
  );
}

/** @returns undefined where `operation` finds that the file is not there */
export async function ifThere<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
