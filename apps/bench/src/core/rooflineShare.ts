import type { RooflineShare, WorkCost } from './row.ts';
import type { Roofline } from './run.ts';

/**
 * Which part of what the device can do at best a piece of work reaches: with intensity I = 2 MACs / bytes, at best
 * min(FMA rate, I x bandwidth) (Williams, Waterman, Patterson 2009).
 *
 * @param milliseconds of one run
 * @returns nothing where the cost has no multiply-accumulates
 */
export function rooflineShare(
  { macs, bytes }: WorkCost,
  milliseconds: number,
  { flopsPerSecond, bytesPerSecond }: Roofline,
): RooflineShare | undefined {
  if (macs === undefined || macs === 0) return undefined;
  const achieved = (2 * macs) / (milliseconds / 1000);
  const byBandwidth = bytes ? ((2 * macs) / bytes) * bytesPerSecond : Number.POSITIVE_INFINITY;
  const attainable = Math.min(flopsPerSecond, byBandwidth);
  return {
    flopsPerSecond: achieved,
    attainableFlopsPerSecond: attainable,
    percent: (100 * achieved) / attainable,
    limit: byBandwidth < flopsPerSecond ? 'bandwidth' : 'compute',
  };
}
