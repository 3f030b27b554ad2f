import { WeightsError } from '../weightsError.ts';

/**
 * Why a pickle was not read.
 *
 * | code | meaning |
 * |---|---|
 * | RefusedGlobal | it asks for a class or function that is not on the list of those that build plain data; `refused` names it |
 * | RefusedOpcode | an instruction that no file of weights needs, or of a newer protocol |
 * | InvalidPickle | instructions that make no sense: nothing on the stack, an argument of the wrong type, a cycle |
 * | Truncated | it ends before it is complete |
 * | LimitExceeded | more objects, nesting or bytes than any file of weights has |
 */
export type PickleErrorCode = 'RefusedGlobal' | 'RefusedOpcode' | 'InvalidPickle' | 'Truncated' | 'LimitExceeded';

/** The one error type of the interpreter of pickles. */
export class PickleError extends WeightsError {
  override readonly name: string = 'PickleError';
  readonly code: PickleErrorCode;
  /** The message without the code in front. */
  readonly detail: string;
  /** Full name of the class or function that was refused, for code RefusedGlobal. */
  readonly refused: string | undefined;

  constructor(code: PickleErrorCode, message: string, options?: ErrorOptions & { readonly refused?: string }) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.detail = message;
    this.refused = options?.refused;
  }
}
