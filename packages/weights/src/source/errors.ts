import { WeightsError } from '../weightsError.ts';

/**
 * What went wrong while bytes were fetched, before anybody looked at their meaning.
 *
 * | code | meaning |
 * |---|---|
 * | InvalidArgument | the caller passed something else than the documented type |
 * | IoError | the disk, the network or the source itself failed; `cause` holds the details |
 * | ShortRead | a source gave another number of bytes than it was asked for |
 * | OutOfBounds | bytes outside the file were asked for |
 * | Changed | the file is not the one that was opened: it was replaced or edited in the meantime |
 * | Closed | the source was closed before this read |
 * | HttpStatus | the server answered with an error; `status` holds the number |
 * | RangesNotSupported | the server sends whole files only |
 * | UnusableResponse | the server's answer contradicts the request or hides what is needed to check it |
 * | TooLarge | more bytes than the caller allows |
 */
export type SourceErrorCode =
  | 'InvalidArgument'
  | 'IoError'
  | 'ShortRead'
  | 'OutOfBounds'
  | 'Changed'
  | 'Closed'
  | 'HttpStatus'
  | 'RangesNotSupported'
  | 'UnusableResponse'
  | 'TooLarge';

/**
 * The one error type of the sources of bytes. Switch on `code`, show `message`. An abort is not among them: it throws
 * the signal's own reason.
 */
export class SourceError extends WeightsError {
  override readonly name: string = 'SourceError';
  readonly code: SourceErrorCode;
  /** The message without the code in front. */
  readonly detail: string;
  /** The HTTP status, for code HttpStatus. */
  readonly status: number | undefined;

  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions & { readonly status?: number }) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.detail = message;
    this.status = options?.status;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether `thrown` says that the caller aborted or a deadline passed: such reasons go to the caller as they are. */
export function isAbort(thrown: unknown): boolean {
  const name = thrown instanceof Error ? thrown.name : undefined;
  return name === 'AbortError' || name === 'TimeoutError';
}
