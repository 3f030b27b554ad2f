/**
 * What is wrong with an image or a request.
 *
 * - InvalidImage: the pixels do not match the width, height and channels stated beside them
 * - InvalidOption: an option is outside its range, or two options exclude each other
 * - TooLarge: the result, or a step on the way to it, would exceed MAX_PIXELS or MAX_SIDE
 */
export type ImageErrorCode = 'InvalidImage' | 'InvalidOption' | 'TooLarge';

/** The one error type this package throws. Switch on `code`, show `message`. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}
