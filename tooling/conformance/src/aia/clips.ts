import * as tf from '@tensorflow/tfjs-core';
import type { Golden } from '../Golden.ts';
import { channelsFirst, channelsLast } from '../layout.ts';

// The reference keeps the frames of all clips as one batch, [N*T, C, H, W], frames of a clip together; we keep clips.

/** A golden tensor [N*T, C, H, W] -> [N, T, H, W, C]. */
export function clipsOf(golden: Golden, name: string): tf.Tensor5D {
  return tf.tidy(() => {
    const frames = channelsLast<tf.Tensor4D>(golden.tensor(name));
    const [, height, width, channels] = frames.shape;
    return tf.reshape(frames, [golden.number('N'), golden.number('T'), height, width, channels]) as tf.Tensor5D;
  });
}

/** [N, T, H, W, C] -> [N*T, C, H, W]. */
export function framesOf(clips: tf.Tensor): tf.Tensor {
  const [batch, length, ...rest] = clips.shape as [number, number, ...number[]];
  return tf.tidy(() => channelsFirst(tf.reshape(clips, [batch * length, ...rest])));
}
