import type { LazyFailure } from '../lazyWeights.ts';
import type { JsonFaults } from '../safetensors/jsonCursor.ts';
import type { ShardFailure } from '../shards/resolve.ts';
import { SourceError } from '../source/errors.ts';
import { WeightsError } from '../weightsError.ts';

/**
 * Why the weights of a TensorFlow.js model were not read.
 *
 * | code | meaning |
 * |---|---|
 * | NotTfjs | the bytes are no model.json with a manifest of weights |
 * | InvalidManifest | the JSON is damaged, or the manifest is not what the format prescribes |
 * | InvalidSize | the shards have another number of bytes than the manifest describes |
 * | UnsafeShardName | a shard is named so that it could be another file than one beside the model |
 * | ShardMissing | a shard was not found, could not be opened, or nobody said how to find shards |
 * | UnsupportedDtype | strings, or a type that no JavaScript array carries: its raw bytes are available |
 * | TensorNotFound | no weight of that name; `nearNames` has the most similar ones |
 * | TooLarge | the manifest is too long, or a weight could not be allocated |
 * | IoError | a source of bytes failed; `cause` holds the details |
 * | InvalidArgument | the caller passed something else than the documented type |
 */
export type TfjsFileErrorCode =
  | 'NotTfjs'
  | 'InvalidManifest'
  | 'InvalidSize'
  | 'UnsafeShardName'
  | 'ShardMissing'
  | 'UnsupportedDtype'
  | 'TensorNotFound'
  | 'TooLarge'
  | 'IoError'
  | 'InvalidArgument';

/** The one error type that reading models of TensorFlow.js throws. Switch on `code`, show `message`. */
export class TfjsFileError extends WeightsError {
  override readonly name: string = 'TfjsFileError';
  readonly code: TfjsFileErrorCode;
  /** Similar names, for code TensorNotFound. */
  readonly nearNames: readonly string[];

  constructor(
    code: TfjsFileErrorCode,
    message: string,
    options?: ErrorOptions & { readonly nearNames?: readonly string[] },
  ) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.nearNames = options?.nearNames ?? [];
  }
}

/** {@link TfjsFileError} for the parts that formats have in common. */
export const tfjsFailure: LazyFailure & ShardFailure = (code, message, options) =>
  new TfjsFileError(code, message, options);

/** The errors of JSON in a model.json. */
export const manifestFaults: JsonFaults = {
  malformed: (message) =>
    new TfjsFileError(
      'InvalidManifest',
      `${message} The file is damaged or no model.json; download or convert it again.`,
    ),
  overflow: (message) => new TfjsFileError('InvalidManifest', message),
};

/** Runs a part of this reader. @throws TfjsFileError; an abort, and what is nobody's fault but ours, unchanged */
export async function withTfjsErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const code = error.code === 'InvalidArgument' ? 'InvalidArgument' : 'IoError';
    throw new TfjsFileError(code, error.detail, { cause: error });
  }
}
