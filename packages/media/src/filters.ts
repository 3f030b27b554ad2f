/** Ways to resize. `nearest` picks one source pixel; the others average over a window. */
export type ResizeFilter = 'nearest' | 'box' | 'bilinear' | 'hamming' | 'bicubic' | 'lanczos';

/** A window function: the weight of a source pixel at distance `x` from the centre, and the distance where it ends. */
export interface WindowFilter {
  readonly support: number;
  readonly weight: (x: number) => number;
}

/** Free parameter of the cubic convolution kernel (Keys, 1981). Pillow uses -0.5; OpenCV and PyTorch use -0.75. */
const CUBIC_A = -0.5;

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((CUBIC_A + 2) * x - (CUBIC_A + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * CUBIC_A;
  return 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** Pillow states these two in single precision. Their sum is not 1, so the centre is a case of its own. */
const HAMMING_OFFSET = Math.fround(0.54);
const HAMMING_SCALE = Math.fround(0.46);

function hamming(x: number): number {
  if (x === 0) return 1;
  return Math.abs(x) < 1 ? sinc(x) * (HAMMING_OFFSET + HAMMING_SCALE * Math.cos(x * Math.PI)) : 0;
}

/** The windows of Pillow, with its choices of which end is open. */
export const WINDOW_FILTERS: Readonly<Record<Exclude<ResizeFilter, 'nearest'>, WindowFilter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: hamming },
  bicubic: { support: 2, weight: cubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};
