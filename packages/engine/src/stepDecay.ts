import { assertInteger, ConfigError } from '@saccade/tensor-ops';
import type { Schedule } from './schedules.ts';

/** Options of {@link stepDecay}. */
export interface StepDecayOptions {
  /** learning rate after the warm-up */
  readonly base: number;
  /** steps from which on the rate is lower, rising */
  readonly milestones: readonly number[];
  /** factor of each milestone; default 0.1 */
  readonly factor?: number;
  /** default 0 */
  readonly warmupSteps?: number;
  /** learning rate of step 0 if there is a warm-up; default 1e-6 */
  readonly warmupStart?: number;
}

/**
 * Linear warm-up, then a rate that falls in steps. With s = step, w = warmupSteps:
 *
 * ```
 * s < w:   warmupStart + (base - warmupStart) s / w
 * s >= w:  base factor^(number of milestones <= s)
 * ```
 *
 * AIA's recipe for Something-Something V1: base 0.01, milestones at the beginning of epochs 20 and 40 of 50 (counted from 0),
 * no warm-up.
 *
 * @throws ConfigError for rates that are not finite and >= 0, or milestones that do not rise after the warm-up
 */
export function stepDecay({
  base,
  milestones,
  factor = 0.1,
  warmupSteps = 0,
  warmupStart = 1e-6,
}: StepDecayOptions): Schedule {
  for (const [option, rate] of Object.entries({ base, factor, warmupStart })) {
    if (!(Number.isFinite(rate) && rate >= 0)) throw new ConfigError(option, 'a finite number >= 0', rate);
  }
  assertInteger('warmupSteps', warmupSteps, 0);
  milestones.forEach((milestone, i) => {
    assertInteger(`milestones[${i}]`, milestone, 1);
    const before = i === 0 ? warmupSteps : (milestones[i - 1] as number) + 1;
    if (milestone < before) throw new ConfigError(`milestones[${i}]`, `a step >= ${before}`, milestone);
  });
  return (step) => {
    if (step < warmupSteps) return warmupStart + ((base - warmupStart) * step) / warmupSteps;
    return base * factor ** milestones.filter((milestone) => milestone <= step).length;
  };
}
