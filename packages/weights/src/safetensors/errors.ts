import { quote, WeightsError } from '../weightsError.ts';
import type { JsonFaults } from './jsonCursor.ts';

export { quote };

/**
 * What went wrong, under the names of the reference implementation (`SafeTensorError` in the Rust crate `safetensors`)
 * where it has one.
 *
 * | code | meaning |
 * |---|---|
 * | HeaderTooSmall | fewer than the 8 bytes that hold the header length |
 * | HeaderTooLarge | header above 100,000,000 bytes |
 * | InvalidHeaderLength | the header would end after the end of the file |
 * | InvalidHeader | header bytes are not UTF-8 |
 * | InvalidHeaderDeserialization | header is not the JSON the format prescribes (syntax, a duplicate key, a wrong type, an unknown dtype or field) |
 * | ValidationOverflow | a number, or a product of them, that cannot be held exactly (above 2^53 - 1) |
 * | InvalidOffset | byte ranges that are reversed, overlap or leave a hole |
 * | TensorInvalidInfo | the byte range does not match dtype and shape |
 * | MisalignedSlice | a sub-byte tensor that does not end on a byte |
 * | MetadataIncompleteBuffer | the tensors end before or after the end of the file |
 * | TensorNotFound | no tensor of that name (see {@link TensorNotFoundError}) |
 * | InvalidTensorView | data handed to the writer does not match its dtype and shape |
 * | IoError | the source of bytes failed or gave another number of bytes than asked |
 * | UnsupportedDtype | (ours) the tensor is valid but no JavaScript array carries its type; its raw bytes are available |
 * | InvalidIndex | (ours) a shard index that is malformed or points outside its folder |
 * | InvalidArgument | (ours) the caller passed something else than the documented type |
 */
export type SafetensorsErrorCode =
  | 'HeaderTooSmall'
  | 'HeaderTooLarge'
  | 'InvalidHeaderLength'
  | 'InvalidHeader'
  | 'InvalidHeaderDeserialization'
  | 'ValidationOverflow'
  | 'InvalidOffset'
  | 'TensorInvalidInfo'
  | 'MisalignedSlice'
  | 'MetadataIncompleteBuffer'
  | 'TensorNotFound'
  | 'InvalidTensorView'
  | 'IoError'
  | 'UnsupportedDtype'
  | 'InvalidIndex'
  | 'InvalidArgument';

/** The one error type that reading and writing safetensors throws. Switch on `code`, show `message`. */
export class SafetensorsError extends WeightsError {
  override readonly name: string = 'SafetensorsError';
  readonly code: SafetensorsErrorCode;

  constructor(code: SafetensorsErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** Thrown when a tensor is asked for by a name the file does not have. `nearNames` holds the most similar ones. */
export class TensorNotFoundError extends SafetensorsError {
  override readonly name: string = 'TensorNotFoundError';
  readonly tensorName: string;
  readonly nearNames: readonly string[];

  constructor(tensorName: string, nearNames: readonly string[], tensorCount: number) {
    const hint =
      nearNames.length > 0
        ? `Did you mean ${nearNames.map(quote).join(' or ')}?`
        : 'The property `names` lists what the file holds.';
    super('TensorNotFound', `no tensor ${quote(tensorName)} among the ${tensorCount} in this file. ${hint}`);
    this.tensorName = tensorName;
    this.nearNames = nearNames;
  }
}

/** The errors of JSON in a file of this format: `code` for anything malformed. */
export function jsonFaults(code: SafetensorsErrorCode): JsonFaults {
  const advice = 'The file is damaged or was not written by a safetensors library; download or export it again.';
  return {
    malformed: (message) => new SafetensorsError(code, `${message} ${advice}`),
    overflow: (message) => new SafetensorsError('ValidationOverflow', message),
  };
}
