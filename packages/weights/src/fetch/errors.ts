import { WeightsError } from '../weightsError.ts';

/**
 * What went wrong on the way from a URL to a file in the cache.
 *
 * | code | meaning |
 * |---|---|
 * | InvalidArgument | the reference or an option is not of the documented form |
 * | Network | no connection, or it broke, more often than `retries` allows |
 * | Stalled | the server sent nothing for `stallMs`, more often than `retries` allows |
 * | HttpStatus | the server refused; `status` holds the number |
 * | RedirectRefused | too many redirects, from https to http, or to nowhere |
 * | NotWeights | a web page or a Git LFS pointer came in place of the file |
 * | LengthMismatch | the server sent another number of bytes than it announced |
 * | HashMismatch | the bytes are not the ones that were expected; nothing was kept |
 * | Changed | the file on the server was replaced, twice, while it was downloaded |
 * | TooLarge | the file has more bytes than `maxBytes` |
 * | NoSpace | the disk, or the browser's quota, is full |
 * | CacheUnavailable | there is no place to keep files here |
 * | CacheIo | reading or writing the cache failed; `cause` holds the details |
 * | Offline | `offline` was asked for and the file is not in the cache |
 */
export type FetchWeightsErrorCode =
  | 'InvalidArgument'
  | 'Network'
  | 'Stalled'
  | 'HttpStatus'
  | 'RedirectRefused'
  | 'NotWeights'
  | 'LengthMismatch'
  | 'HashMismatch'
  | 'Changed'
  | 'TooLarge'
  | 'NoSpace'
  | 'CacheUnavailable'
  | 'CacheIo'
  | 'Offline';

export interface FetchWeightsErrorOptions extends ErrorOptions {
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/**
 * The one error type of downloads and their cache. Switch on `code`, show `message`. An abort is not among them: it
 * throws the signal's own reason.
 */
export class FetchWeightsError extends WeightsError {
  override readonly name: string = 'FetchWeightsError';
  readonly code: FetchWeightsErrorCode;
  /** The HTTP status, for code HttpStatus. */
  readonly status: number | undefined;
  /** After how many milliseconds the server wants to be asked again, where it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: FetchWeightsErrorCode, message: string, options: FetchWeightsErrorOptions = {}) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Whether the same request may succeed a little later. */
export function isTransient(error: unknown): error is FetchWeightsError {
  if (!(error instanceof FetchWeightsError)) return false;
  if (error.code === 'HttpStatus') return [408, 425, 429, 500, 502, 503, 504].includes(error.status ?? 0);
  return error.code === 'Network' || error.code === 'Stalled';
}
