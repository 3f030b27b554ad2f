import { type GridProblem, offsetIndex } from '../../gridCorrelationProblem.ts';
import { product } from '../../shape.ts';

/** A number of axes or positions for each of three axes; a grid of fewer has leading axes of 1. */
type Three = readonly [number, number, number];

/** One axis of a transform. */
interface FftAxis {
  readonly size: number;
  /** of the transform: `size` where the grid closes on itself and the length is a fast one, else at least 2 size - 1 */
  readonly length: number;
  /** for each position of a transformed table, the index of its entry; -1 for padding */
  readonly entries: Int32Array;
  /** for each stage of radix 4, the largest first, and then of radix 2: cos and -sin of each twiddle */
  readonly twiddles: Float32Array;
}

/** Lengths and places of everything that transforms of a grid's maps need; bytes, unless said otherwise. */
export interface FftPlan {
  readonly axes: readonly [FftAxis, FftAxis, FftAxis];
  /** tokens along each axis */
  readonly sizes: Three;
  readonly lengths: Three;
  /** entries of a table along each axis */
  readonly offsets: Three;
  /** distances of neighbours along each axis in a field */
  readonly strides: Three;
  readonly fieldBytes: number;
  /** of a field of tokens, whose last transform is not made in place: it lacks the padding along that axis */
  readonly tokenFieldBytes: number;
  /** frequencies of a spectrum */
  readonly frequencies: number;
  /** the axes that have anything to transform; the first is the last to be transformed */
  readonly active: readonly number[];
}

/** Two vectors: eight channels, as four complex numbers. */
export const POSITION_BYTES = 32;

/** What is left of a length without its factors of 2, where our transforms can take it. */
const ODD_FACTORS: readonly number[] = [1, 3, 5, 7];

/** Plans the transforms of a grid. */
export function fftPlan({ grid, padding, offsets }: GridProblem): FftPlan {
  const three = <T>(values: readonly T[], one: T) => [...Array<T>(3 - values.length).fill(one), ...values] as [T, T, T];
  const sizes = three(grid, 1);
  const axes = sizes.map((size) => fftAxis(size, padding)) as [FftAxis, FftAxis, FftAxis];
  const lengths = axes.map(({ length }) => length) as [number, number, number];
  // An odd number of cache lines from row to row, so that a column does not fall on a few places of the cache.
  const rowStride = 64 * (Math.ceil(lengths[2] / 2) | 1);
  const planeStride = 64 * (((lengths[1] * rowStride) / 64) | 1);
  const strides = [planeStride, rowStride, POSITION_BYTES] as const;
  const active = [0, 1, 2].filter((axis) => lengths[axis] !== 1);
  if (active.length === 0) active.push(2);
  const last = active[0] as 0 | 1 | 2;
  return {
    axes,
    sizes,
    lengths,
    offsets: three(offsets, 1),
    strides,
    fieldBytes: lengths[0] * planeStride,
    tokenFieldBytes: sizes[last] * strides[last],
    frequencies: product(lengths),
    active,
  };
}

function fftAxis(size: number, padding: GridProblem['padding']): FftAxis {
  const closed = size === 1 || (padding === 'circular' && isFast(size));
  const length = closed ? size : fastLength(2 * size - 1);
  const entries = Int32Array.from({ length }, (_, position) => {
    const offset = position < size ? position : position - length;
    return offset > -size ? offsetIndex(offset, size, padding) : -1;
  });
  return { size, length, entries, twiddles: twiddles(length) };
}

function isFast(length: number): boolean {
  let odd = length;
  while (odd % 2 === 0) odd /= 2;
  return ODD_FACTORS.includes(odd);
}

/** The smallest fast length that is a multiple of 4 and not below `least`: of its half, no zero need be touched. */
function fastLength(least: number): number {
  let length = 4 * Math.ceil(least / 4);
  while (!isFast(length)) length += 4;
  return length;
}

function twiddles(length: number): Float32Array {
  const values: number[] = [];
  const add = (turn: number) => values.push(Math.cos(2 * Math.PI * turn), -Math.sin(2 * Math.PI * turn));
  let n = length;
  for (; n % 4 === 0; n /= 4) {
    for (let j = 0; j < n / 4; j++) for (const power of [1, 2, 3]) add((power * j) / n);
  }
  if (n % 2 === 0) for (let j = 0; j < n / 2; j++) add(j / n);
  return Float32Array.from(values);
}
