import { WeightsError } from '../weightsError.ts';

/**
 * | code | meaning |
 * |---|---|
 * | InvalidRule | a pattern or a rule is not of the documented form |
 * | Collision | two names would become one |
 * | UnknownMap | there is no map of that name |
 */
export type KeyMapErrorCode = 'InvalidRule' | 'Collision' | 'UnknownMap';

/** Why names were not mapped. Switch on `code`, show `message`. */
export class KeyMapError extends WeightsError {
  override readonly name = 'KeyMapError';
  readonly code: KeyMapErrorCode;

  constructor(code: KeyMapErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}
