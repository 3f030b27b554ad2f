import * as tf from '@tensorflow/tfjs-core';
import { addSignals, type Correlator, type Signal } from './gridCorrelationExplicit.ts';
import { correlatorFor, usesFft } from './gridCorrelationMethods.ts';
import {
  assertTable,
  assertTokens,
  type GridCorrelationOptions,
  type GridProblem,
  gridProblem,
} from './gridCorrelationProblem.ts';
import { GRID_CORRELATION, GRID_CORRELATION_GRAD } from './kernels/names.ts';
import { transposeLast } from './matMul.ts';
import { sizeAt } from './shape.ts';
import { withGradient } from './withGradient.ts';

/**
 * Correlation of tokens on a grid with D tables of relative positions, as large as the grid itself:
 * `y[b, head, d, n] = sum over m of table[head, d][m - n] * x[b, head, m]`.
 *
 * `x` [B, h, N, c], `table` [h, D, ...offsets] -> [B, h, D, N, c]; N tokens on `grid`, row-major, of 1 to 3 axes. Along an
 * axis of S tokens the table has 2S - 1 entries (zero padding: the offset o at `o + S - 1`) or S (circular: at `o mod S`).
 * All channels of a head share its tables: see {@link gridCorrelationPerChannel} for the other case.
 *
 * Differentiable in both arguments, once. The methods are described at {@link GridCorrelationMethod}; matrices of N x N
 * exist for `dense` alone, one for each head.
 *
 * @throws ShapeError if x, table and grid do not belong together; ConfigError for a grid, padding or method that is none,
 *   and for the method `fft` on grids that webgpu's kernel does not take (closed axes whose length is no power of two, axes
 *   of more than 1,024 tokens); BackendError for `fft` on a backend without the kernel
 */
export function gridCorrelation(x: tf.Tensor4D, table: tf.Tensor, options: GridCorrelationOptions): tf.Tensor5D {
  const problem = gridProblem(options);
  assertTokens('x', x, problem);
  assertTable('table', table, [x.shape[1], 'D'], problem);
  if (usesFft(GRID_CORRELATION, problem, options, [x, table])) return byKernel(x, table, problem) as tf.Tensor5D;
  const correlator = () => correlatorFor(problem, options);
  return withGradient(
    [x, table],
    ([x, table]) => ({ value: tf.tidy(() => correlateAll(correlator(), x, table)), saved: [x, table] }),
    (dy, [x, table]) => gradients(correlator(), dy, x, table),
  );
}

function correlateAll(by: Correlator, x: tf.Tensor4D, table: tf.Tensor): tf.Tensor5D {
  const inside = by.enter(x);
  const signal = by.analyse(inside);
  const results = by
    .patterns(table)
    .map((pattern) => tf.tidy(() => by.leave(by.synthesise(by.correlate(signal, pattern), inside.shape))));
  const [batch, heads, tokens, channels] = x.shape;
  // Joined at rank 3, which every backend does right.
  const flat = results.map((y) => tf.reshape(y, [batch * heads, 1, tokens * channels]));
  return tf.reshape(tf.concat(flat, 1), [batch, heads, results.length, tokens, channels]) as tf.Tensor5D;
}

/** `dx = sum over d of the transposed correlations of dy_d`, `dtable[o] = sum over b, n, c of dy[n] x[n + o]`. */
function gradients(by: Correlator, dy: tf.Tensor5D, x: tf.Tensor4D, table: tf.Tensor): tf.Tensor[] {
  const [batch, heads, patterns, tokens, channels] = dy.shape;
  const flat = tf.reshape(dy, [batch * heads, patterns, tokens * channels]);
  const inside = by.enter(x);
  const signal = by.analyse(inside);
  const signals = by.patterns(table);
  let sum: Signal | undefined;
  const parts: Signal[] = [];
  for (const [d, part] of tf.split(flat, patterns, 1).entries()) {
    const { dx, dPattern } = tf.tidy(() => {
      const slope = by.analyse(by.enter(tf.reshape(part, [batch, heads, tokens, channels])));
      return { dx: by.convolve(slope, signals[d] as Signal), dPattern: by.cross(slope, signal) };
    });
    sum = addSignals(sum, dx);
    parts.push(dPattern);
  }
  return [by.leave(by.synthesise(sum as Signal, inside.shape)), by.tableGradient(parts, table.shape)];
}

/**
 * The same with one table for each channel and no sets: `y[b, head, n, e] = sum over m of table[head, e][m - n] * x[b, head,
 * m, e]`, a depthwise convolution with kernels as large as the grid.
 *
 * `x` [B, h, N, c], `table` [h, c, ...offsets] -> [B, h, N, c]. Grid, padding, methods, gradients and errors as for
 * {@link gridCorrelation}.
 */
export function gridCorrelationPerChannel(
  x: tf.Tensor4D,
  table: tf.Tensor,
  options: GridCorrelationOptions,
): tf.Tensor4D {
  const problem = gridProblem(options);
  assertTokens('x', x, problem);
  assertTable('table', table, [x.shape[1], sizeAt(x.shape, 3)], problem);
  if (usesFft(GRID_CORRELATION, problem, options, [x, table])) return byKernel(x, table, problem, true) as tf.Tensor4D;
  const [batch, heads, tokens, channels] = x.shape;
  return tf.tidy(() => {
    // Each channel is a head of its own, with one pattern and one channel.
    const lines = tf.reshape(transposeLast(x), [batch, heads * channels, tokens, 1]) as tf.Tensor4D;
    const tables = tf.reshape(table, [heads * channels, 1, ...problem.offsets]);
    const y = gridCorrelation(lines, tables, options);
    return transposeLast(tf.reshape(y, [batch, heads, channels, tokens])) as tf.Tensor4D;
  });
}

/** Either by the kernel, whose gradient is a kernel too. */
function byKernel(x: tf.Tensor4D, table: tf.Tensor, { grid, padding }: GridProblem, perChannel = false): tf.Tensor {
  const attributes = { grid: [...grid], padding, perChannel };
  return withGradient(
    [x, table],
    ([x, table]) => {
      const value = tf.engine().runKernel(GRID_CORRELATION, { x, table }, attributes) as tf.Tensor;
      return { value, saved: [x, table] };
    },
    (dy, [x, table]) => tf.engine().runKernel(GRID_CORRELATION_GRAD, { dy, x, table }, attributes) as tf.Tensor[],
  );
}
