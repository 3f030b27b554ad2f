import type { Grid } from '@saccade/nn';
import { product } from '@saccade/tensor-ops';
import type { Problem } from './problem.ts';

// The paper's formulas, sum by sum in float64. Nothing here is shared with the code under test.

/** What the paper's form gives for one sample. N tokens, J windows, M_V taps of the aggregators. */
export interface PaperForm {
  /** `a` [h][N][J*D]: the joint softmax */
  readonly attention: readonly (readonly Float64Array[])[];
  /** `kappa` [N, J, C, M_V]: the dynamic kernels */
  readonly kappa: Float64Array;
  /** `y` [N, C] */
  readonly y: Float64Array;
}

/**
 * Equations (11)-(17): Hadamard correlation of the query with each window of keys, one softmax over windows and
 * detectors, a dynamic kernel for each channel, its sum over each window of values.
 */
export function paperForm(p: Problem): PaperForm {
  const { q, k, v, convK, convV, channels, detectors, headDim, heads } = p;
  const tokens = product(p.grid);
  const keyWindows = windows(p.grid, p.kernelK, p.stride);
  const valueWindows = windows(p.grid, p.kernelV, p.stride);
  const tapsV = product(p.kernelV);

  const attention = jointSoftmax(p, keyWindows.length, (head, i, j, d) => {
    let score = 0;
    for (let c = head * headDim; c < (head + 1) * headDim; c++) {
      keyWindows[j]!.forEach((l, m) => {
        const key = l === undefined ? 0 : k[l * channels + c]!;
        score += q[i * channels + c]! * key * convK[(m * channels + c) * detectors + d]!;
      });
    }
    return score;
  });

  const kappa = new Float64Array(tokens * valueWindows.length * channels * tapsV);
  const y = new Float64Array(tokens * channels);
  let entry = 0;
  for (let i = 0; i < tokens; i++) {
    for (const [j, window] of valueWindows.entries()) {
      for (let c = 0; c < channels; c++) {
        const a = attention[Math.floor(c / (channels / heads))]![i]!;
        for (let m = 0; m < tapsV; m++) {
          let kernel = 0;
          for (let d = 0; d < detectors; d++) {
            kernel += a[j * detectors + d]! * convV[(m * channels + c) * detectors + d]!;
          }
          kappa[entry++] = kernel;
          const l = window[m];
          y[i * channels + c]! += kernel * (l === undefined ? 0 : v[l * channels + c]!);
        }
      }
    }
  }
  return { attention, kappa, y };
}

/**
 * Equations (2) and (5), literally on the maps of products: S = conv(q_i K^T, U^K), one softmax, c = the transposed
 * convolution of A with U^V, y = c V. The problem's filters must be constant over channels; those of channel 0 count.
 */
export function simplifiedForm(p: Problem): Float64Array {
  const { q, k, v, convK, convV, channels, detectors, headDim, heads } = p;
  const tokens = product(p.grid);
  const keyWindows = windows(p.grid, p.kernelK, p.stride);
  const valueWindows = windows(p.grid, p.kernelV, p.stride);
  const shared = (filter: Float32Array, m: number, d: number) => filter[m * channels * detectors + d]!;

  const productOf = (head: number, i: number, l: number) => {
    let sum = 0;
    for (let c = head * headDim; c < (head + 1) * headDim; c++) sum += q[i * channels + c]! * k[l * channels + c]!;
    return sum;
  };
  const attention = jointSoftmax(p, keyWindows.length, (head, i, j, d) => {
    let score = 0;
    keyWindows[j]!.forEach((l, m) => {
      if (l !== undefined) score += productOf(head, i, l) * shared(convK, m, d);
    });
    return score;
  });

  const y = new Float64Array(tokens * channels);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < tokens; i++) {
      const merged = new Float64Array(tokens);
      valueWindows.forEach((window, j) => {
        window.forEach((l, m) => {
          if (l === undefined) return;
          for (let d = 0; d < detectors; d++) {
            merged[l]! += attention[head]![i]![j * detectors + d]! * shared(convV, m, d);
          }
        });
      });
      for (let c = head * headDim; c < (head + 1) * headDim; c++) {
        for (let l = 0; l < tokens; l++) y[i * channels + c]! += merged[l]! * v[l * channels + c]!;
      }
    }
  }
  return y;
}

/** Equation (4), with a weight of its own for each channel: y_ic = sum_j kappa_ijc v_jc, kappa_ijc = sum_d a_ijd u_dc. */
export function elementForm(p: Problem): Float64Array {
  const { attention } = paperForm(p);
  const centres = windows(p.grid, [1, 1, 1].slice(0, p.grid.length), p.stride).map(([centre]) => centre!);
  const y = new Float64Array(product(p.grid) * p.channels);
  y.forEach((_, at) => {
    const [i, c] = [Math.floor(at / p.channels), at % p.channels];
    centres.forEach((centre, j) => {
      for (let d = 0; d < p.detectors; d++) {
        const a = attention[Math.floor(c / p.headDim)]![i]![j * p.detectors + d]!;
        y[at]! += a * p.convV[c * p.detectors + d]! * p.v[centre * p.channels + c]!;
      }
    });
  });
  return y;
}

/** The windows of all (strided) centres: the position that each tap sees, undefined outside of the grid. */
function windows(grid: Grid, kernel: readonly number[], stride: number): (number | undefined)[][] {
  const [frames, height, width] = grid.length === 3 ? grid : [1, ...grid];
  const [kt, kh, kw] = (kernel.length === 3 ? kernel : [1, ...kernel]) as [number, number, number];
  const found: (number | undefined)[][] = [];
  for (let t = 0; t < frames; t++) {
    for (let row = 0; row < height; row += stride) {
      for (let column = 0; column < width; column += stride) {
        const taps: (number | undefined)[] = [];
        for (let a = t - (kt - 1) / 2; a <= t + (kt - 1) / 2; a++) {
          for (let b = row - (kh - 1) / 2; b <= row + (kh - 1) / 2; b++) {
            for (let c = column - (kw - 1) / 2; c <= column + (kw - 1) / 2; c++) {
              const inside = a >= 0 && a < frames && b >= 0 && b < height && c >= 0 && c < width;
              taps.push(inside ? (a * height + b) * width + c : undefined);
            }
          }
        }
        found.push(taps);
      }
    }
  }
  return found;
}

/** For each head and query one softmax over all windows j and detectors d: [h][N][J*D]. */
function jointSoftmax(
  { grid, heads, headDim, detectors }: Problem,
  keys: number,
  score: (head: number, i: number, j: number, d: number) => number,
): Float64Array[][] {
  return Array.from({ length: heads }, (_, head) =>
    Array.from({ length: product(grid) }, (_, i) => {
      const row = Float64Array.from({ length: keys * detectors }, (_, at) =>
        Math.exp(headDim ** -0.5 * score(head, i, Math.floor(at / detectors), at % detectors)),
      );
      const total = row.reduce((sum, x) => sum + x, 0);
      return row.map((x) => x / total);
    }),
  );
}
