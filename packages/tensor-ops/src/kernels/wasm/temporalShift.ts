import { TEMPORAL_SHIFT } from '../names.ts';
import { floats, wasmKernel } from './backend.ts';

/**
 * The temporal shift of x [B, T, P, C]: channels [0, fold) from the frame `direction` later, [fold, 2 fold) from the one
 * `direction` before, 0 where there is none; the rest as it is.
 *
 * One copy of the whole, then only the channels that move are written.
 */
export const temporalShift = wasmKernel<'x', { fold: number; direction: 1 | -1 }>(
  TEMPORAL_SHIFT,
  ({ inputs: { x }, attrs: { fold, direction }, backend }) => {
    const [batch, frames, positions, channels] = x.shape as [number, number, number, number];
    const result = backend.makeOutput(x.shape, 'float32');
    const from = floats(backend, x);
    const to = floats(backend, result);
    to.set(from);
    const frameSize = positions * channels;
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t < frames; t++) {
        const start = (b * frames + t) * frameSize;
        moveChannels(from, to, start, frameSize, channels, 0, fold, inside(t + direction, frames) ? direction : 0);
        moveChannels(from, to, start, frameSize, channels, fold, fold, inside(t - direction, frames) ? -direction : 0);
      }
    }
    return result;
  },
);

function inside(frame: number, frames: number): boolean {
  return frame >= 0 && frame < frames;
}

/** Fills `count` channels of one frame from those of the frame `by` later, or with 0 where `by` is 0. */
function moveChannels(
  from: Float32Array,
  to: Float32Array,
  start: number,
  frameSize: number,
  channels: number,
  channel: number,
  count: number,
  by: number,
): void {
  const distance = by * frameSize;
  for (let at = start + channel, end = start + frameSize; at < end; at += channels) {
    for (let i = at; i < at + count; i++) to[i] = by === 0 ? 0 : (from[i + distance] as number);
  }
}
