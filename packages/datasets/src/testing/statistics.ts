import type { Clip, ClipSource } from '../clips.ts';

/** A description of a clip by a few numbers. */
export type Feature = (clip: Clip) => Float64Array;

/** The mean of frames `from` ... `to` - 1 of a clip, [size, size]. */
export function meanFrame(frames: Uint8Array, pixels: number, from: number, to: number): Float64Array {
  const mean = new Float64Array(pixels);
  for (let t = from; t < to; t++) {
    for (let pixel = 0; pixel < pixels; pixel++) mean[pixel]! += frames[t * pixels + pixel]! / (to - from);
  }
  return mean;
}

/** Fits the mean feature of each class on one source and returns the accuracy of the nearest mean on another. */
export function nearestClassMean(train: ClipSource, test: ClipSource, feature: Feature): number {
  const means = train.classes.map(() => [] as number[]);
  const counts = train.classes.map(() => 0);
  for (let index = 0; index < train.length; index++) {
    const clip = train.get(index);
    const mean = means[clip.label]!;
    counts[clip.label]!++;
    feature(clip).forEach((value, place) => {
      mean[place] = (mean[place] ?? 0) + value;
    });
  }
  means.forEach((mean, label) => {
    for (let place = 0; place < mean.length; place++) mean[place]! /= counts[label]!;
  });
  let right = 0;
  for (let index = 0; index < test.length; index++) {
    const clip = test.get(index);
    const value = feature(clip);
    const distances = means.map((mean) => mean.reduce((sum, centre, place) => sum + (value[place]! - centre) ** 2, 0));
    if (distances.indexOf(Math.min(...distances)) === clip.label) right++;
  }
  return right / test.length;
}

/**
 * Displacements between consecutive frames, [T - 1] pairs (y, x), read from the pixels alone.
 *
 * A shift on a torus multiplies each Fourier coefficient by a phase, so the phase of the lowest one moves by 2 pi / side
 * per pixel. Exact for one object on black.
 */
export function measureSteps(frames: Uint8Array, side: number): [y: number, x: number][] {
  const count = frames.length / (side * side);
  const phases = Array.from({ length: count }, (_, t) => {
    const sums = { yc: 0, ys: 0, xc: 0, xs: 0 };
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const value = frames[(t * side + y) * side + x]!;
        sums.yc += value * Math.cos((2 * Math.PI * y) / side);
        sums.ys += value * Math.sin((2 * Math.PI * y) / side);
        sums.xc += value * Math.cos((2 * Math.PI * x) / side);
        sums.xs += value * Math.sin((2 * Math.PI * x) / side);
      }
    }
    return [Math.atan2(sums.ys, sums.yc), Math.atan2(sums.xs, sums.xc)] as const;
  });
  const shift = (from: number, to: number) => {
    const pixels = ((to - from) * side) / (2 * Math.PI);
    return pixels - side * Math.round(pixels / side);
  };
  return phases
    .slice(1)
    .map(([y, x], t) => [shift(phases[t]![0], y), shift(phases[t]![1], x)] as [y: number, x: number]);
}
