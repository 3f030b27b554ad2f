import type { RunProgress } from '../worker/plan.ts';

/** Which part of a run is done, 0 to 1; a comparison counts by its rounds. */
export function fractionDone({ done, total, detail }: RunProgress): number {
  if (total === 0) return 1;
  const within = detail?.round !== undefined && detail.rounds ? detail.round / detail.rounds : 0;
  return Math.min((done + within) / total, 1);
}

/**
 * How long a run will still take if the rest is like what has been: `about 3 minutes`. Comparisons differ in size, so it is
 * an estimate, and nothing is said before it has a footing.
 *
 * @param elapsedMs since the run began
 */
export function timeLeft(fraction: number, elapsedMs: number): string | undefined {
  if (fraction < 0.02 || elapsedMs < 2_000) return;
  const seconds = (elapsedMs * (1 - fraction)) / fraction / 1000;
  if (seconds < 5) return 'a few seconds';
  if (seconds < 90) return `about ${Math.ceil(seconds / 5) * 5} seconds`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} minutes` : `about ${Math.round(minutes / 60)} hours`;
}
