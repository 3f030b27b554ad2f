import { maxMean, temporalShift } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FunctionWork } from '../support/functionWork.ts';
import { normalInput } from '../support/inputs.ts';
import { sampleOutputs } from '../support/samples.ts';
import { at, BOTH, bothPaths, FORWARD, type OpCase, STOCK, sizesOf, sum } from './opCase.ts';

/** The shift of a TSM ResNet-50 before a block of its second or third stage, one clip of eight frames. */
const shift = (frames: number, side: number, channels: number): OpCase => {
  const fold = channels / 8;
  const x = normalInput('clip', [1, frames, side, side, channels]);
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x],
    outputShape: x.shape,
    samples: () =>
      sampleOutputs(x.shape, ([, t, i, j, c]) => {
        const channel = c as number;
        const source = (t as number) + (channel < fold ? 1 : channel < 2 * fold ? -1 : 0);
        return source < 0 || source >= frames ? 0 : at(x, 0, source, i as number, j as number, channel);
      }),
  };
  const ours: FunctionWork['apply'] = ([x]) => temporalShift(x as tf.Tensor5D);
  return {
    name: `temporalShift/${sizesOf(frames, side, side, channels)}`,
    parameters: { operation: 'temporalShift', sizes: sizesOf(frames, side, side, channels) },
    // Stock slices of the larger clip take seconds on wasm, and their gradients several.
    directions: side < 28 ? BOTH : FORWARD,
    works: ({ backend }) => [
      { ...common, name: STOCK, role: 'peer', apply: ([x]) => stockShift(x as tf.Tensor5D, fold) },
      ...bothPaths(common, ours, hasClipKernels(backend)),
    ],
  };
};

/** As one translates the public PyTorch code: slices of the clip, and frames of zeros. */
function stockShift(x: tf.Tensor5D, fold: number): tf.Tensor {
  const [batch, frames, height, width, channels] = x.shape;
  const slice = (frame: number, channel: number, count: number, size: number) =>
    tf.slice(x, [0, frame, 0, 0, channel], [batch, count, height, width, size]);
  const empty = tf.zeros([batch, 1, height, width, fold]);
  const next = tf.concat([slice(1, 0, frames - 1, fold), empty], 1);
  const before = tf.concat([empty, slice(0, fold, frames - 1, fold)], 1);
  return tf.concat([next, before, slice(0, 2 * fold, frames, channels - 2 * fold)], 4);
}

/** What the gates of Attention-in-Attention pool over time, in the same network. */
const pooled = (frames: number, side: number, channels: number): OpCase => {
  const x = normalInput('clip', [1, frames, side, side, channels]);
  const shape = [2, 1, side, side, channels];
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [x],
    outputShape: shape,
    samples: () =>
      sampleOutputs(shape, ([which, , i, j, c]) => {
        const value = (t: number) => at(x, 0, t, i as number, j as number, c as number);
        return which === 0
          ? Math.max(...Array.from({ length: frames }, (_, t) => value(t)))
          : sum(frames, value) / frames;
      }),
  };
  const ours: FunctionWork['apply'] = ([x]) => maxMean(x as tf.Tensor, 1);
  return {
    name: `maxMean/${sizesOf(frames, side, side, channels)}`,
    parameters: { operation: 'maxMean', sizes: sizesOf(frames, side, side, channels) },
    directions: BOTH,
    quick: FORWARD,
    works: ({ backend }) => [
      {
        ...common,
        name: STOCK,
        role: 'peer',
        apply: ([x]) => tf.stack([tf.max(x as tf.Tensor, 1), tf.mean(x as tf.Tensor, 1)]),
      },
      ...bothPaths(common, ours, hasClipKernels(backend)),
    ],
  };
};

/** Kernels of ours for clips exist there. */
function hasClipKernels(backend: string): boolean {
  return backend === 'wasm' || backend === 'webgpu';
}

export const clips: readonly OpCase[] = [shift(8, 14, 1024), pooled(8, 14, 256), shift(8, 28, 512)];
