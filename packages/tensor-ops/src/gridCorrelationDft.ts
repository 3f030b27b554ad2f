import * as tf from '@tensorflow/tfjs-core';
import type { Correlator, Signal } from './gridCorrelationExplicit.ts';
import type { Axis, Complex, LineTransforms, MaybeReal, Positions } from './gridCorrelationLines.ts';
import type { GridProblem } from './gridCorrelationProblem.ts';
import { product, sizeAt } from './shape.ts';

/**
 * Correlation by discrete Fourier transforms: `y = IDFT(conj(T^) x^)`, over L >= 2S - 1 positions an axis (zero padding) or
 * L = S (circular).
 *
 * Axis after axis is brought to the front and transformed; x is real, so the first needs only half of its frequencies.
 * Inside, tokens are [N, h, B, c]; signals [F, h, B*c] and, of patterns, [F, h, 1], F the number of frequencies.
 */
export function dftCorrelator({ grid, padding, offsets }: GridProblem, by: LineTransforms): Correlator {
  const axes = grid.map((_, axis): Axis => {
    const length = by.length(offsets[axis] as number);
    const isFirst = axis === 0;
    return { length, frequencies: isFirst ? Math.floor(length / 2) + 1 : length, isFirst };
  });
  const tokenPositions = grid.map((size): Positions => ({ count: size, from: 0 }));
  const tablePositions = grid.map(
    (size, axis): Positions => ({ count: offsets[axis] as number, from: padding === 'zero' ? 1 - size : 0 }),
  );
  // In scopes of their own: what a transform makes on its way is large, and is not to last as long as the caller's scope.
  const toSignal = (x: tf.Tensor, positions: readonly Positions[], heads: number): Signal =>
    tf.tidy(() => forward(x, axes, positions, by).map((part) => tf.reshape(part, [sizeAt(part.shape, 0), heads, -1])));
  const fromSignal = (signal: Signal, positions: readonly Positions[]): tf.Tensor =>
    tf.tidy(() => {
      const [re, im] = signal.map((part) => tf.reshape(part, [sizeAt(part.shape, 0), -1])) as [tf.Tensor, tf.Tensor];
      return inverse([re, im], axes, positions, by);
    });
  return {
    enter: (x) => tf.transpose(x, [2, 1, 0, 3]),
    leave: (x) => tf.transpose(x, [2, 1, 0, 3]),
    analyse: (x) => toSignal(tf.reshape(x, [x.shape[0], -1]), tokenPositions, x.shape[1]),
    synthesise: (signal, sizes) => tf.reshape<tf.Rank.R4>(fromSignal(signal, tokenPositions), sizes),
    patterns: (table) => {
      // All at once, and cut apart afterwards.
      const [heads, count] = table.shape as [number, number];
      const columns = tf.transpose(tf.reshape(table, [heads * count, -1]));
      const [re, im] = toSignal(columns, tablePositions, heads).map((part) => tf.split(part, count, 2));
      return Array.from({ length: count }, (_, d) => [re?.[d] as tf.Tensor, im?.[d] as tf.Tensor]);
    },
    correlate: (x, pattern) => multiply(pattern, x, -1),
    convolve: (y, pattern) => multiply(pattern, y, 1),
    cross: (dy, x) => multiply(dy, x, -1).map((part) => tf.sum(part, -1, true)),
    tableGradient: (parts, shape) => {
      const joined = [0, 1].map((i) =>
        tf.concat(
          parts.map((part) => part[i] as tf.Tensor),
          2,
        ),
      );
      return tf.reshape(tf.transpose(fromSignal(joined, tablePositions)), [...shape]);
    },
  };
}

/** `a b` (sign 1) or `conj(a) b` (sign -1), with broadcasting. */
function multiply([aRe, aIm]: Signal, [bRe, bIm]: Signal, sign: 1 | -1): Signal {
  const products = [tf.mul(aRe as tf.Tensor, bRe as tf.Tensor), tf.mul(aIm as tf.Tensor, bIm as tf.Tensor)] as const;
  const mixed = [tf.mul(aRe as tf.Tensor, bIm as tf.Tensor), tf.mul(aIm as tf.Tensor, bRe as tf.Tensor)] as const;
  return sign === 1 ? [tf.sub(...products), tf.add(...mixed)] : [tf.add(...products), tf.sub(...mixed)];
}

/** x [positions of all axes, R], real -> [frequencies, R]; the last axis' frequencies stand first. */
function forward(x: tf.Tensor, axes: readonly Axis[], positions: readonly Positions[], by: LineTransforms): Complex {
  const columns = sizeAt(x.shape, 1);
  let done = 1;
  let value: MaybeReal = [x];
  for (const [i, axis] of axes.entries()) {
    const place = positions[i] as Positions;
    // [done, axis, rest] -> [axis, done * rest]
    const rest = columns * product(positions.slice(i + 1).map(({ count }) => count));
    value = by.forward(rotate(value, [done, place.count, rest]), axis, place);
    done *= axis.frequencies;
  }
  return value.map((part) => tf.reshape(part, [done, columns])) as unknown as Complex;
}

/** The inverse of {@link forward} at the positions asked for: [frequencies, R] -> [positions, R], the real part. */
function inverse(x: Complex, axes: readonly Axis[], positions: readonly Positions[], by: LineTransforms): tf.Tensor {
  const columns = sizeAt(x[0].shape, 1);
  let value: MaybeReal = x;
  for (let i = axes.length - 1; i >= 0; i--) {
    const axis = axes[i] as Axis;
    const place = positions[i] as Positions;
    const remaining = product(axes.slice(0, i).map(({ frequencies }) => frequencies));
    value = by.inverse(value as Complex, axis, place);
    if (axis.isFirst) break;
    const rest = columns * product(positions.slice(i + 1).map(({ count }) => count));
    value = rotate(value, [place.count, remaining, rest]);
  }
  return tf.reshape(value[0], [-1, columns]);
}

/** Exchanges the first two of three axes. */
function rotate<X extends MaybeReal>(x: X, shape: [number, number, number]): X {
  return x.map((part) => tf.transpose(tf.reshape(part, shape), [1, 0, 2])) as unknown as X;
}
