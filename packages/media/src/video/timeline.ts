import { DecodeError } from '../errors.ts';

/**
 * The numbers of frames, checked.
 *
 * @throws DecodeError OutOfRange
 */
export function checkIndices(indices: Iterable<number>, frameCount: number): number[] {
  const list = [...indices];
  for (const index of list) {
    if (!Number.isInteger(index) || index < 0 || index >= frameCount) {
      throw new DecodeError(
        'OutOfRange',
        `frame ${String(index)} was asked for; the frames of this video are 0 to ${frameCount - 1}.`,
      );
    }
  }
  return list;
}

/**
 * For each time the number of the frame on show: the last one with `timestamps[i] <= time`.
 *
 * A time of at most a microsecond before a frame counts as its own: that much is lost when times pass through decoders.
 *
 * @param timestamps ascending, in seconds
 * @throws DecodeError OutOfRange
 */
export function framesOnShow(seconds: Iterable<number>, timestamps: Float64Array, end: number): number[] {
  return Array.from(seconds, (time) => {
    const index = lastAtOrBefore(timestamps, time + MICROSECOND);
    if (index < 0 || !(time <= end)) {
      throw new DecodeError(
        'OutOfRange',
        `the frame at ${String(time)} s was asked for; this video lasts from ${timestamps[0]} s to ${end} s.`,
      );
    }
    return index;
  });
}

export const MICROSECOND = 1e-6;

/** The last position with `sorted[i] <= value`, or -1. */
function lastAtOrBefore(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
