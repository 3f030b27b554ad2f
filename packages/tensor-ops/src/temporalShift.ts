import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, ShapeError } from './errors.ts';
import { usesKernel } from './kernelMode.ts';
import { TEMPORAL_SHIFT } from './kernels/names.ts';
import { assertInteger, formatShape } from './shape.ts';
import { withGradient } from './withGradient.ts';

/** Options of {@link temporalShift}. */
export interface TemporalShiftOptions {
  /** frames T of a clip; needed for [B*T, H, W, C], which does not tell it */
  readonly frames?: number;
  /** the fold is floor(C / shiftDiv) channels; default 8 */
  readonly shiftDiv?: number;
}

/**
 * Temporal shift: some channels come from the next frame, as many from the frame before. With `f = floor(C / shiftDiv)`:
 *
 * ```
 * y[t, c] = x[t + 1, c]  for c < f;   x[t - 1, c]  for f <= c < 2f;   x[t, c]  else;   0 where that frame does not exist
 * ```
 *
 * `x` [B, T, H, W, C], or its frames as a batch, [B*T, H, W, C] -> the same shape. No parameters, no multiplications. On
 * wasm and webgpu by a kernel of ours (`setKernelMode`), because there slices copy their whole input, or everything twice.
 * Source: Lin et al., TSM, arXiv 1811.08383; which way the channels go is that of the public code.
 *
 * @throws ShapeError for another rank, a batch that T does not divide, clips of other than `frames` frames, or fewer
 * channels than `shiftDiv` (none would move); ConfigError for a `shiftDiv` below 2 or `frames` that are no length
 */
export function temporalShift<M extends tf.Tensor4D | tf.Tensor5D>(
  x: M,
  { frames, shiftDiv = 8 }: TemporalShiftOptions = {},
): M {
  assertInteger('shiftDiv', shiftDiv, 2);
  const channels = x.shape.at(-1) as number;
  const clip = clipShape(x, frames);
  const fold = Math.floor(channels / shiftDiv);
  if (fold === 0) {
    throw new ShapeError({
      argument: 'x',
      expected: `at least shiftDiv = ${shiftDiv} channels`,
      actual: formatShape(x.shape),
      hint: 'With fewer no channel would move; take a smaller shiftDiv.',
    });
  }
  const shift = usesKernel(TEMPORAL_SHIFT) ? fusedShift : composedShift;
  return tf.tidy(() => {
    const y = withGradient(
      [tf.reshape(x, clip) as tf.Tensor4D],
      ([x]) => ({ value: shift(x, fold, 1), saved: [] }),
      (dy) => [shift(dy, fold, -1)],
    );
    return tf.reshape(y, x.shape) as M;
  });
}

/** [B, T, H*W, C]. */
function clipShape({ shape }: tf.Tensor, frames: number | undefined): [number, number, number, number] {
  if (frames !== undefined) assertInteger('frames', frames, 1);
  if (shape.length === 5) {
    const [batch, length, height, width, channels] = shape as tf.Tensor5D['shape'];
    if (frames !== undefined && length !== frames) {
      throw new ShapeError({ argument: 'x', expected: `clips of ${frames} frames`, actual: formatShape(shape) });
    }
    return [batch, length, height * width, channels];
  }
  if (shape.length !== 4) {
    throw new ShapeError({ argument: 'x', expected: '[B,T,H,W,C] or [B*T,H,W,C]', actual: formatShape(shape) });
  }
  if (frames === undefined) {
    throw new ConfigError('frames', 'the frames of a clip, for [B*T,H,W,C]', frames, 'Or pass clips [B,T,H,W,C].');
  }
  const [total, height, width, channels] = shape as tf.Tensor4D['shape'];
  if (total % frames !== 0) {
    throw new ShapeError({
      argument: 'x',
      expected: `whole clips, a batch that ${frames} frames divide`,
      actual: formatShape(shape),
    });
  }
  return [total / frames, frames, height * width, channels];
}

/** The shift of `x` [B, T, P, C] by `direction` frames: 1, or -1 for its adjoint. */
type Shift = (x: tf.Tensor4D, fold: number, direction: 1 | -1) => tf.Tensor4D;

const fusedShift: Shift = (x, fold, direction) =>
  tf.engine().runKernel(TEMPORAL_SHIFT, { x }, { fold, direction }) as tf.Tensor4D;

/** Of tfjs' operations, at rank 4: webgpu slices and pads no more axes. */
const composedShift: Shift = (x, fold, direction) => {
  const [batch, frames, positions, channels] = x.shape;
  const rest = tf.slice(x, [0, 0, 0, 2 * fold], [batch, frames, positions, channels - 2 * fold]);
  return tf.concat([move(x, 0, fold, direction), move(x, fold, fold, -direction), rest], 3);
};

/** `count` channels from `channel` on, of the frame `by` (1 or -1) later: [B, T, P, count]. */
function move(x: tf.Tensor4D, channel: number, count: number, by: number): tf.Tensor4D {
  const [batch, frames, positions] = x.shape;
  if (frames === 1) return tf.zeros([batch, 1, positions, count]);
  const source = tf.slice(x, [0, by > 0 ? 1 : 0, 0, channel], [batch, frames - 1, positions, count]);
  return tf.pad(source, [[0, 0], by > 0 ? [0, 1] : [1, 0], [0, 0], [0, 0]]); // biome-ignore format: one pair an axis
}
