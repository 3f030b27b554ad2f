import { WeightsError } from '../weightsError.ts';

/**
 * What is wrong with a zip archive.
 *
 * | code | meaning |
 * |---|---|
 * | NotZip | the bytes do not begin or do not end as a zip archive does: another format, or cut short |
 * | InvalidZip | the archive contradicts itself: offsets, sizes, overlapping entries, two directories |
 * | HeaderMismatch | an entry's own header says something else than the directory: two readers would see two files |
 * | UnsafeName | an entry is named so that it could leave its folder, or like another one |
 * | UnsupportedZip | encrypted, compressed with an unknown method, split over several files |
 * | ChecksumMismatch | the bytes of an entry are not those that were written |
 */
export type ZipErrorCode =
  | 'NotZip'
  | 'InvalidZip'
  | 'HeaderMismatch'
  | 'UnsafeName'
  | 'UnsupportedZip'
  | 'ChecksumMismatch';

/** The one error type that reading a zip archive throws. */
export class ZipError extends WeightsError {
  override readonly name: string = 'ZipError';
  readonly code: ZipErrorCode;
  /** The message without the code in front. */
  readonly detail: string;

  constructor(code: ZipErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.detail = message;
  }
}
