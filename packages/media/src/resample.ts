import type { WindowFilter } from './filters.ts';

/**
 * Fixed-point fraction bits of a weight: 32, less 8 for the pixel value, less 2 because weights can be negative and
 * partial sums can exceed the final one.
 */
const PRECISION_BITS = 32 - 8 - 2;
const ONE = 1 << PRECISION_BITS;
const HALF = 1 << (PRECISION_BITS - 1);

/** For each of `length` output positions: the first source position, how many there are, and their weights. */
interface Windows {
  readonly length: number;
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `stride` weights per output position, in units of 2^-22; the first `counts[i]` are used. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/**
 * The windows of one axis, `from` pixels resized to `to`.
 *
 * Output pixel i is centred at (i + 0.5) * scale in the source, scale = from / to. When shrinking, the window is
 * stretched by the scale so that every source pixel counts (antialiasing). The weights of each window are normalised to
 * sum 1 and rounded to 22 fraction bits, half away from zero.
 */
export function windows(from: number, to: number, filter: WindowFilter): Windows {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Int32Array(to * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const weight = filter.weight((k + start - centre + 0.5) * (1 / stretch));
      exact[k] = weight;
      sum += weight;
    }
    for (let k = 0; k < count; k++) {
      const weight = (sum === 0 ? exact[k]! : exact[k]! / sum) * ONE;
      weights[i * stride + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { length: to, starts, counts, weights, stride };
}

/** Rounds a fixed-point sum (which starts at one half) to a pixel value. */
function clip8(sum: number): number {
  return Math.max(0, Math.min(255, sum >> PRECISION_BITS));
}

/** Resizes rows: [height, width, channels] to [height, across.length, channels]. */
export function resampleRows(
  data: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  channels: number,
  across: Windows,
): Uint8Array {
  const { length, starts, counts, weights, stride } = across;
  const out = new Uint8Array(height * length * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    for (let x = 0; x < length; x++) {
      const first = row + starts[x]! * channels;
      const count = counts[x]!;
      for (let c = 0; c < channels; c++) {
        let sum = HALF;
        for (let k = 0; k < count; k++) sum += data[first + k * channels + c]! * weights[x * stride + k]!;
        out[to++] = clip8(sum);
      }
    }
  }
  return out;
}

/** Resizes columns: [height, rowLength] to [down.length, rowLength]; rowLength = width * channels. */
export function resampleColumns(data: Uint8Array | Uint8ClampedArray, rowLength: number, down: Windows): Uint8Array {
  const { length, starts, counts, weights, stride } = down;
  const out = new Uint8Array(length * rowLength);
  // Whole rows are added up, because stepping down a column would miss the cache at every pixel.
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < length; y++) {
    sums.fill(HALF);
    for (let k = 0; k < counts[y]!; k++) {
      const row = (starts[y]! + k) * rowLength;
      const weight = weights[y * stride + k]!;
      for (let i = 0; i < rowLength; i++) sums[i]! += data[row + i]! * weight;
    }
    for (let i = 0; i < rowLength; i++) out[y * rowLength + i] = clip8(sums[i]!);
  }
  return out;
}

/**
 * For each of `to` output positions, the source position that nearest-neighbour resizing picks.
 *
 * The position is advanced by repeated addition, as Pillow does it: a product would round differently and, at exact
 * boundaries, pick another pixel (14 to 21, for example).
 */
export function nearestPositions(from: number, to: number): Int32Array {
  const positions = new Int32Array(to);
  const scale = from / to;
  let position = scale * 0.5;
  for (let i = 0; i < to; i++) {
    positions[i] = Math.trunc(position);
    position += scale;
  }
  return positions;
}
