import { assertInteger, ConfigError } from '@saccade/tensor-ops';

/** The learning rate of a step; steps count from 0. A pure function, so that a resumed run needs no state of it. */
export type Schedule = (step: number) => number;

/** Options of {@link warmupCosine}. */
export interface WarmupCosineOptions {
  /** learning rate after the warm-up */
  readonly base: number;
  /** learning rate at and after the end; default 0 */
  readonly min?: number;
  /** default 0 */
  readonly warmupSteps?: number;
  readonly totalSteps: number;
  /** learning rate of step 0 if there is a warm-up; default 1e-6 */
  readonly warmupStart?: number;
  /** false: the cosine counts from step 0, not from the end of the warm-up; default true */
  readonly shifted?: boolean;
}

/**
 * Linear warm-up, then half a cosine. With s = step, w = warmupSteps, S = totalSteps:
 *
 * ```
 * s < w:   warmupStart + (base - warmupStart) s / w
 * s < S:   min + (base - min) (1 + cos(pi p)) / 2,   p = (s - w) / (S - w)   (shifted, the default)
 *                                                    p = s / S               (not shifted)
 * s >= S:  min
 * ```
 *
 * UniFormer trains its video models with the shifted form and its image models with the other one, where the rate
 * steps down a little when the warm-up ends. Source: Loshchilov and Hutter, arXiv 1608.03983; the UniFormer code.
 *
 * @throws ConfigError for rates that are not finite and >= 0, or a warm-up that does not end before the last step
 */
export function warmupCosine({
  base,
  min = 0,
  warmupSteps = 0,
  totalSteps,
  warmupStart = 1e-6,
  shifted = true,
}: WarmupCosineOptions): Schedule {
  for (const [option, rate] of Object.entries({ base, min, warmupStart })) {
    if (!(Number.isFinite(rate) && rate >= 0)) throw new ConfigError(option, 'a finite learning rate >= 0', rate);
  }
  assertInteger('totalSteps', totalSteps, 1);
  assertInteger('warmupSteps', warmupSteps, 0);
  if (warmupSteps >= totalSteps)
    throw new ConfigError('warmupSteps', `less than totalSteps = ${totalSteps}`, warmupSteps);
  const start = shifted ? warmupSteps : 0;
  return (step) => {
    if (step < warmupSteps) return warmupStart + ((base - warmupStart) * step) / warmupSteps;
    if (step >= totalSteps) return min;
    return min + ((base - min) * (1 + Math.cos((Math.PI * (step - start)) / (totalSteps - start)))) / 2;
  };
}
