import { formatNumber } from '@saccade/command-kit';
import type { Ratio } from '../core/row.ts';

/** `0.54 (0.52 to 0.57)`; without the interval where it is a point. */
export function ratioText({ value, interval: [low, high] }: Ratio): string {
  return low === high ? formatNumber(value) : `${formatNumber(value)} (${formatNumber(low)} to ${formatNumber(high)})`;
}

/** Where a row was measured; what a GPU in software says is not about GPUs. */
export function backendText({
  backend,
  softwareGpu,
}: {
  readonly backend: string;
  readonly softwareGpu: boolean;
}): string {
  return softwareGpu ? `${backend} in software` : backend;
}

/** Why a row has no times, short enough for a cell; the whole text is in the files. */
export function reasonText(reason: string): string {
  const line = reason.replace(/\s*\n\s*/g, ' · ');
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}

const LONGEST_REASON = 160;
