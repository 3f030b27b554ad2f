/** What every error of this package is: `code` says what is wrong, in the words of the subclass; `message` to a person. */
export abstract class MediaError extends Error {
  abstract readonly code: string;
}

/**
 * What is wrong with an image or a request.
 *
 * - InvalidImage: the pixels do not match the width, height and channels stated beside them
 * - InvalidOption: an option is outside its range, or two options exclude each other
 * - TooLarge: the result, or a step on the way to it, would exceed MAX_PIXELS or MAX_SIDE
 */
export type ImageErrorCode = 'InvalidImage' | 'InvalidOption' | 'TooLarge';

/** What functions on pixels throw. Switch on `code`, show `message`. */
export class ImageError extends MediaError {
  override readonly name = 'ImageError';
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/**
 * Why a file or stream gives no pixels.
 *
 * | code | meaning |
 * |---|---|
 * | InvalidArgument | the caller passed something else than the documented type or range |
 * | IoError | the disk or the network failed; `cause` holds the details |
 * | UnknownFormat | the bytes are of no format that is read here: a wrong container, a text, an empty file |
 * | Unsupported | a known format in a variant that is refused, or that nothing here can decode |
 * | Truncated | the file ends before its pixels do |
 * | Corrupt | the file contradicts itself, or its decoder refuses it |
 * | TooLarge | more pixels or bytes than the caller allows |
 * | NoFrames | a video without a single frame to show |
 * | OutOfRange | a frame or time outside the video was asked for |
 * | MissingPackage | an optional package is not installed; the message names the command that does it |
 * | Closed | the source was closed before this call |
 */
export type DecodeErrorCode =
  | 'InvalidArgument'
  | 'IoError'
  | 'UnknownFormat'
  | 'Unsupported'
  | 'Truncated'
  | 'Corrupt'
  | 'TooLarge'
  | 'NoFrames'
  | 'OutOfRange'
  | 'MissingPackage'
  | 'Closed';

/**
 * What decoders of images and videos throw. Switch on `code`, show `message`. An abort is not among them: it throws the
 * signal's own reason.
 */
export class DecodeError extends MediaError {
  override readonly name = 'DecodeError';
  readonly code: DecodeErrorCode;

  constructor(code: DecodeErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
