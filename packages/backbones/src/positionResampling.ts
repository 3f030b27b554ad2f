import type { Grid } from '@saccade/nn';
import { product } from '@saccade/tensor-ops';

/** How the values along one axis become values along another: row i of [to, from] holds the weights of new value i. */
interface AxisResampling {
  readonly from: number;
  readonly to: number;
  readonly weights: Float64Array;
}

/** Resamples values [...grid, C], one axis after the other. */
export function resampleValues(values: Float64Array, axes: readonly AxisResampling[], channels: number): Float64Array {
  return axes.reduce((current, { from, to, weights }, axis) => {
    const before = product(axes.slice(0, axis).map((done) => done.to));
    const after = product(axes.slice(axis + 1).map((left) => left.from)) * channels;
    const next = new Float64Array(before * to * after);
    for (let row = 0; row < before * to; row++) {
      const [block, i] = [Math.floor(row / to), row % to];
      for (let j = 0; j < from; j++) {
        const weight = weights[i * from + j] as number;
        if (weight === 0) continue;
        for (let at = 0; at < after; at++) {
          const source = current[(block * from + j) * after + at] as number;
          next[row * after + at] = (next[row * after + at] as number) + weight * source;
        }
      }
    }
    return next;
  }, values);
}

/** Bicubic along the axes of space, linear along that of time; see `resamplePositions` for the formula. */
export function gridResampling(from: Grid, to: Grid): AxisResampling[] {
  return from.map((size, axis) => {
    const temporal = from.length === 3 && axis === 0;
    return axisResampling(size, to[axis] as number, temporal ? LINEAR : CUBIC);
  });
}

/** Weights of the values around a position, the first of which lies `before` steps left of its floor. */
interface Kernel {
  readonly before: number;
  /** `t` in [0, 1): how far the position lies right of its floor */
  readonly weights: (t: number) => readonly number[];
}

const LINEAR: Kernel = { before: 0, weights: (t) => [1 - t, t] };
const CUBIC: Kernel = { before: 1, weights: (t) => [far(1 + t), near(t), near(1 - t), far(2 - t)] };

const A = -0.75;
/** Keys' kernel at distance d <= 1. */
const near = (d: number) => (A + 2) * d ** 3 - (A + 3) * d ** 2 + 1;
/** Keys' kernel at distance 1 <= d <= 2. */
const far = (d: number) => A * (d ** 3 - 5 * d ** 2 + 8 * d - 4);

function axisResampling(from: number, to: number, { before, weights: kernel }: Kernel): AxisResampling {
  const weights = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    const position = ((i + 0.5) * from) / to - 0.5;
    const floor = Math.floor(position);
    for (const [tap, weight] of kernel(position - floor).entries()) {
      const source = Math.min(Math.max(floor - before + tap, 0), from - 1);
      weights[i * from + source] = (weights[i * from + source] as number) + weight;
    }
  }
  return { from, to, weights };
}
