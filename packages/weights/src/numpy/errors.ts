import type { LazyFailure } from '../lazyWeights.ts';
import { SourceError } from '../source/errors.ts';
import { WeightsError } from '../weightsError.ts';
import { ZipError, type ZipErrorCode } from '../zip/errors.ts';

/**
 * Why a file of NumPy was not read. The codes of {@link ZipErrorCode} are among them: they say what is wrong with the archive
 * around the arrays (.npz).
 *
 * | code | meaning |
 * |---|---|
 * | NotNumpy | the bytes are neither an array (.npy) nor an archive of arrays (.npz) |
 * | UnsupportedVersion | an array in a version of the format that is newer than this reader |
 * | InvalidHeader | the header is not the dictionary the format prescribes |
 * | InvalidSize | the header describes another number of bytes than there are |
 * | UnsupportedDtype | objects, records, text or dates; or a type that no JavaScript array carries: its raw bytes are available |
 * | TensorNotFound | no array of that name; `nearNames` has the most similar ones |
 * | TooLarge | an array could not be allocated, or the archive unpacks to far more bytes than it has |
 * | IoError | the source of bytes failed; `cause` holds the details |
 * | InvalidArgument | the caller passed something else than the documented type |
 */
export type NumpyFileErrorCode =
  | 'NotNumpy'
  | 'UnsupportedVersion'
  | 'InvalidHeader'
  | 'InvalidSize'
  | 'UnsupportedDtype'
  | 'TensorNotFound'
  | 'TooLarge'
  | 'IoError'
  | 'InvalidArgument'
  | ZipErrorCode;

/** The one error type that reading files of NumPy throws. Switch on `code`, show `message`. */
export class NumpyFileError extends WeightsError {
  override readonly name: string = 'NumpyFileError';
  readonly code: NumpyFileErrorCode;
  /** The message without the code in front. */
  readonly detail: string;
  /** Similar names, for code TensorNotFound. */
  readonly nearNames: readonly string[];

  constructor(
    code: NumpyFileErrorCode,
    message: string,
    options?: ErrorOptions & { readonly nearNames?: readonly string[] },
  ) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.detail = message;
    this.nearNames = options?.nearNames ?? [];
  }
}

/** {@link NumpyFileError} for the parts that all formats have in common. */
export const numpyFailure: LazyFailure = (code, message, options) => new NumpyFileError(code, message, options);

/** Runs a part of this reader. @throws NumpyFileError; an abort, and what is nobody's fault but ours, unchanged */
export async function withNumpyErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ZipError) throw new NumpyFileError(error.code, error.detail, { cause: error });
    if (error instanceof SourceError) {
      const code = error.code === 'InvalidArgument' ? 'InvalidArgument' : 'IoError';
      throw new NumpyFileError(code, error.detail, { cause: error });
    }
    throw error;
  }
}
