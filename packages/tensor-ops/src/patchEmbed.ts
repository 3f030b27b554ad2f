import * as tf from '@tensorflow/tfjs-core';
import { ConfigError } from './errors.ts';
import { addBias, linear } from './matMul.ts';
import { assertInteger, assertShape } from './shape.ts';

/** How a patch embedding moves along time; space always moves by whole patches, without overlap or padding. */
export interface TemporalPatch {
  /** stride along time; default 1 */
  readonly stride?: number;
  /** zero frames before and after the clip; default 0 */
  readonly padding?: number;
}

/**
 * Patch embedding of images: a convolution whose stride is its kernel, as one matrix product.
 *
 * `x` [B, H, W, C], `weight` [p, p, C, O], `bias` [O] -> [B, floor(H/p), floor(W/p), O]; pixels beyond the last whole
 * patch are left out, as `Conv2d(kernel=p, stride=p)` does. No backend's dense convolution has a sound gradient
 * everywhere; a matrix product has.
 *
 * @throws ShapeError if the channels differ; ConfigError if the image is smaller than a patch
 */
export function patchEmbed2d(x: tf.Tensor4D, weight: tf.Tensor4D, bias?: tf.Tensor1D): tf.Tensor4D {
  const [ph, pw, channels, outputs] = weight.shape;
  assertShape('x', x, ['B', 'H', 'W', channels]);
  return tf.tidy(
    () => linear(patches(x, ph, pw), tf.reshape(weight, [ph * pw * channels, outputs]), bias) as tf.Tensor4D,
  );
}

/**
 * Patch embedding of clips: patches in space, a strided and padded kernel in time.
 *
 * `x` [B, T, H, W, C], `weight` [kt, p, p, C, O], `bias` [O]
 * -> [B, floor((T + 2*padding - kt)/stride) + 1, floor(H/p), floor(W/p), O].
 *
 * @throws ShapeError if the channels differ; ConfigError if the clip is smaller than one patch or the stride below 1
 */
export function patchEmbed3d(
  x: tf.Tensor5D,
  weight: tf.Tensor5D,
  bias?: tf.Tensor1D,
  { stride = 1, padding = 0 }: TemporalPatch = {},
): tf.Tensor5D {
  const [kt, ph, pw, channels, outputs] = weight.shape;
  assertShape('x', x, ['B', 'T', 'H', 'W', channels]);
  assertInteger('stride', stride, 1);
  assertInteger('padding', padding, 0);
  const [batch, frames, height, width] = x.shape;
  const outFrames = Math.floor((frames + 2 * padding - kt) / stride) + 1;
  if (outFrames < 1) throw new ConfigError('x', `at least ${kt - 2 * padding} frames`, frames);
  return tf.tidy(() => {
    const maps = patches(tf.reshape(x, [batch * frames, height, width, channels]), ph, pw);
    const [, rows, columns, patchSize] = maps.shape;
    const frameSize = rows * columns * patchSize;
    const clip = tf.reshape(maps, [batch, frames, frameSize]) as tf.Tensor3D;
    const windows = temporalWindows(clip, kt, stride, padding, outFrames);
    const flat = tf.reshape(weight, [kt, patchSize * outputs]);
    let y: tf.Tensor | undefined;
    windows.forEach((window, tap) => {
      const plane = tf.reshape(tf.slice(flat, [tap, 0], [1, patchSize * outputs]), [patchSize, outputs]) as tf.Tensor2D;
      const part = linear(tf.reshape(window, [batch * outFrames * rows * columns, patchSize]), plane);
      y = y ? tf.add(y, part) : part;
    });
    // Before the reshape: webgpu cannot broadcast a short vector over rank 5.
    const biased = bias ? addBias(y as tf.Tensor, bias) : (y as tf.Tensor);
    return tf.reshape(biased, [batch, outFrames, rows, columns, outputs]) as tf.Tensor5D;
  });
}

/** [B, H, W, C] -> [B, H/p, W/q, p*q*C]; the values of a patch in the order (row, column, channel). */
function patches(x: tf.Tensor4D, ph: number, pw: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const [rows, columns] = [Math.floor(height / ph), Math.floor(width / pw)];
  if (rows < 1 || columns < 1) throw new ConfigError('x', `maps of at least ${ph}x${pw}`, `${height}x${width}`);
  const whole =
    rows * ph === height && columns * pw === width
      ? x
      : tf.slice(x, [0, 0, 0, 0], [batch, rows * ph, columns * pw, channels]);
  const strips = tf.reshape(whole, [batch * rows, ph, columns, pw * channels]);
  return tf.reshape(tf.transpose(strips, [0, 2, 1, 3]), [batch, rows, columns, ph * pw * channels]);
}

/** For each tap the frames it sees: kt tensors [B, outFrames, F] from a clip [B, T, F]. */
function temporalWindows(
  clip: tf.Tensor3D,
  kernel: number,
  stride: number,
  padding: number,
  outFrames: number,
): tf.Tensor3D[] {
  const [batch, frames, size] = clip.shape;
  // Every tap reads stride * outFrames frames from its own start; pad the tail so that the last tap can.
  const reach = kernel - 1 + stride * outFrames;
  const padded = tf.pad(clip, [
    [0, 0],
    [padding, Math.max(0, reach - frames - padding)],
    [0, 0],
  ]);
  return Array.from({ length: kernel }, (_, tap) => {
    const run = tf.slice(padded, [0, tap, 0], [batch, stride * outFrames, size]);
    if (stride === 1) return run;
    const strided = tf.reshape(run, [batch * outFrames, stride, size]);
    return tf.reshape(tf.slice(strided, [0, 0, 0], [batch * outFrames, 1, size]), [batch, outFrames, size]);
  });
}
