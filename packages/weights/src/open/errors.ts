import type { JsonFaults } from '../safetensors/jsonCursor.ts';
import { WeightsError } from '../weightsError.ts';

/**
 * Why a file was not even handed to the reader of a format.
 *
 * | code | meaning |
 * |---|---|
 * | Empty | there are no bytes |
 * | WebPage | HTML or XML: a page about the file, a login, an error of the server |
 * | GitLfsPointer | the text that Git LFS leaves in place of a file |
 * | Compressed | the file is compressed as a whole, or packed into an archive |
 * | DamagedArchive | a zip archive that is cut short, contradicts itself or was made to deceive |
 * | OtherFormat | a format of weights or data that is known and not read |
 * | Text | JSON or other text without weights: an error message of a server, a configuration |
 * | UnknownFormat | nothing that is known begins like that |
 * | IoError | the source of bytes failed; `cause` holds the details |
 * | InvalidArgument | the caller passed something else than the documented type |
 */
export type WeightsFormatErrorCode =
  | 'Empty'
  | 'WebPage'
  | 'GitLfsPointer'
  | 'Compressed'
  | 'DamagedArchive'
  | 'OtherFormat'
  | 'Text'
  | 'UnknownFormat'
  | 'IoError'
  | 'InvalidArgument';

/** The error of openWeights for a file that is in none of its formats. `message` says what it is and what to do. */
export class WeightsFormatError extends WeightsError {
  override readonly name: string = 'WeightsFormatError';
  readonly code: WeightsFormatErrorCode;

  constructor(code: WeightsFormatErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** The errors of JSON that is looked through for its keys. */
export const textFaults: JsonFaults = {
  malformed: (message) =>
    new WeightsFormatError('Text', `it begins as JSON and is damaged or cut short: ${message} Download it again.`),
  overflow: (message) => new WeightsFormatError('Text', message),
};
