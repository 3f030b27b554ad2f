import { SaccadeError } from '@saccade/tensor-ops';

/**
 * Why no ONNX file was written.
 *
 * | code | meaning |
 * |---|---|
 * | InvalidGraph | a value that no node makes, a name twice, no output, numbers that no encoding holds |
 * | InvalidTensor | numbers that their shape does not fit |
 * | Unsupported | a network with parts for which there is no graph here |
 * | TooLarge | 2 GiB or more, which a protobuf file cannot have |
 */
export type OnnxWriteErrorCode = 'InvalidGraph' | 'InvalidTensor' | 'Unsupported' | 'TooLarge';

/** The one error type that writing ONNX files throws. Switch on `code`, show `message`. */
export class OnnxWriteError extends SaccadeError {
  override readonly name = 'OnnxWriteError';
  readonly code: OnnxWriteErrorCode;

  constructor(code: OnnxWriteErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}
