import type { LazyFailure } from '../lazyWeights.ts';
import type { ShardFailure } from '../shards/resolve.ts';
import { SourceError } from '../source/errors.ts';
import { WeightsError } from '../weightsError.ts';

/**
 * Why the initialisers of an ONNX model were not read.
 *
 * | code | meaning |
 * |---|---|
 * | NotOnnx | the bytes are no model, or one without a graph |
 * | InvalidProtobuf | the bytes contradict the encoding: lengths that lead outside, numbers that do not end, groups |
 * | InvalidModel | a well-formed message that describes an impossible model: sizes, types, names, data |
 * | UnsafeShardName | external data are named so that they could be another file than one beside the model |
 * | ShardMissing | a file of external data was not found, could not be opened, or nobody said how to find it |
 * | UnsupportedDtype | text, sparse tensors, unknown types; or a type that no JavaScript array carries: its raw bytes are available |
 * | TensorNotFound | no initialiser of that name; `nearNames` has the most similar ones |
 * | TooLarge | a tensor could not be allocated, or all together would take far more memory than the files have bytes |
 * | IoError | a source of bytes failed; `cause` holds the details |
 * | InvalidArgument | the caller passed something else than the documented type |
 */
export type OnnxFileErrorCode =
  | 'NotOnnx'
  | 'InvalidProtobuf'
  | 'InvalidModel'
  | 'UnsafeShardName'
  | 'ShardMissing'
  | 'UnsupportedDtype'
  | 'TensorNotFound'
  | 'TooLarge'
  | 'IoError'
  | 'InvalidArgument';

/** The one error type that reading ONNX models throws. Switch on `code`, show `message`. */
export class OnnxFileError extends WeightsError {
  override readonly name: string = 'OnnxFileError';
  readonly code: OnnxFileErrorCode;
  /** Similar names, for code TensorNotFound. */
  readonly nearNames: readonly string[];

  constructor(
    code: OnnxFileErrorCode,
    message: string,
    options?: ErrorOptions & { readonly nearNames?: readonly string[] },
  ) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.nearNames = options?.nearNames ?? [];
  }
}

/** {@link OnnxFileError} for the parts that formats have in common. */
export const onnxFailure: LazyFailure & ShardFailure = (code, message, options) =>
  new OnnxFileError(code, message, options);

/** Runs a part of this reader. @throws OnnxFileError; an abort, and what is nobody's fault but ours, unchanged */
export async function withOnnxErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const code = error.code === 'InvalidArgument' ? 'InvalidArgument' : 'IoError';
    throw new OnnxFileError(code, error.detail, { cause: error });
  }
}
