import { SaccadeError } from '@saccade/tensor-ops';

/** A golden file that cannot be replayed: no handler knows it, or it does not say what it should. */
export class GoldenError extends SaccadeError {
  override readonly name = 'GoldenError';
}
