import { SaccadeError } from '@saccade/tensor-ops';

/** The loss stopped being a finite number. The step was not taken: the weights are those of the step before. */
export class DivergedError extends SaccadeError {
  override readonly name = 'DivergedError';
  /** the step whose loss it was, from 0 */
  readonly step: number;

  constructor(step: number, loss: number) {
    super(
      `loss: expected a finite number, got ${loss} at step ${step}. ` +
        'Lower the learning rate, lengthen the warm-up, or set clipNorm; then go on from an earlier checkpoint.',
    );
    this.step = step;
  }
}
