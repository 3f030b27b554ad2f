import { PickleError, type PickleErrorCode } from '../pickle/errors.ts';
import { SourceError } from '../source/errors.ts';
import { WeightsError } from '../weightsError.ts';
import { ZipError, type ZipErrorCode } from '../zip/errors.ts';

/**
 * Why a file of PyTorch was not read, or not written. The codes of {@link PickleErrorCode} and {@link ZipErrorCode} are
 * among them: they say what is wrong with these parts of the file.
 *
 * | code | meaning |
 * |---|---|
 * | NotTorch | the bytes are something else: the message says what, where that can be told |
 * | TorchScript | a program (torch.jit.save), not weights |
 * | UnsupportedFormat | of PyTorch, in a form that is not read: before version 0.1.10, or newer than this reader |
 * | InvalidCheckpoint | storages and tensors contradict each other or the file |
 * | UnsupportedTensor | a kind of tensor that is not read (sparse, without data, lazily conjugated) |
 * | UnsupportedDtype | the tensor is valid but no JavaScript array carries its type; its raw bytes are available |
 * | NoStateDict | there is no dictionary of tensors under the keys that were looked for |
 * | TensorNotFound | no tensor of that name; `nearNames` has the most similar ones |
 * | TooLarge | a tensor, or all together, would take far more memory than the file has bytes |
 * | IoError | the source of bytes failed; `cause` holds the details |
 * | InvalidArgument | the caller passed something else than the documented type |
 * | InvalidTensorView | data handed to the writer does not match its dtype and shape |
 */
export type TorchFileErrorCode =
  | 'NotTorch'
  | 'TorchScript'
  | 'UnsupportedFormat'
  | 'InvalidCheckpoint'
  | 'UnsupportedTensor'
  | 'UnsupportedDtype'
  | 'NoStateDict'
  | 'TensorNotFound'
  | 'TooLarge'
  | 'IoError'
  | 'InvalidArgument'
  | 'InvalidTensorView'
  | PickleErrorCode
  | ZipErrorCode;

/** The one error type that reading and writing files of PyTorch throws. Switch on `code`, show `message`. */
export class TorchFileError extends WeightsError {
  override readonly name: string = 'TorchFileError';
  readonly code: TorchFileErrorCode;
  /**
   * The class or function that was refused, for code RefusedGlobal: 'os.system', 'torch.nn.modules.linear.Linear', ...
   */
  readonly refused: string | undefined;
  /** Similar names, for code TensorNotFound. */
  readonly nearNames: readonly string[];

  constructor(
    code: TorchFileErrorCode,
    message: string,
    options?: ErrorOptions & { readonly refused?: string | undefined; readonly nearNames?: readonly string[] },
  ) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.refused = options?.refused;
    this.nearNames = options?.nearNames ?? [];
  }
}

/**
 * The error of a part, as this reader reports it. An abort, and what is nobody's fault but ours, stay what they are.
 */
export function asTorchFileError(error: unknown): unknown {
  if (error instanceof PickleError) {
    return new TorchFileError(error.code, error.detail, { cause: error, refused: error.refused });
  }
  if (error instanceof ZipError) return new TorchFileError(error.code, error.detail, { cause: error });
  if (error instanceof SourceError) {
    const code = error.code === 'InvalidArgument' ? 'InvalidArgument' : 'IoError';
    return new TorchFileError(code, error.detail, { cause: error });
  }
  return error;
}
