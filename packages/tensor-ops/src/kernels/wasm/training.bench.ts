// What our kernels for training convolutional networks gain on wasm, on maps of 128 frames of 16x16 with 16 channels:
// `npx vitest bench packages/tensor-ops`. "explicit" is the composition of tfjs' operations.
import * as tf from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { conv2d } from '../../conv2d.ts';
import { setKernelMode } from '../../kernelMode.ts';
import { setupBackend } from '../../node/index.ts';
import { batchNormTraining, channelStatistics } from '../../normalization.ts';
import { temporalShift } from '../../temporalShift.ts';

await setupBackend('wasm');

const x = tf.randomNormal([128, 16, 16, 16], 0, 1, 'float32', 1) as tf.Tensor4D;
const dy = tf.randomNormal(x.shape, 0, 1, 'float32', 2);
const [gamma, beta] = [tf.ones([16]) as tf.Tensor1D, tf.zeros([16]) as tf.Tensor1D];
const filter = tf.randomNormal([3, 3, 16, 16], 0, 1, 'float32', 3) as tf.Tensor4D;

/** Runs `compute` once and waits for its result. */
function timed(compute: () => tf.Tensor): () => void {
  return () => tf.tidy(() => void compute().dataSync());
}

/** `compute` by our kernels and without. */
function both(compute: () => tf.Tensor): void {
  for (const mode of ['auto', 'explicit'] as const) bench(mode, timed(compute), { setup: () => setKernelMode(mode) });
}

describe('batch normalisation, forward and backward', () => {
  const normalize = (x: tf.Tensor) => batchNormTraining(x, gamma, beta, channelStatistics(x), 1e-5);
  both(() => tf.grad(normalize)(x, dy));
});

describe('temporal shift of clips of 8 frames', () => {
  both(() => temporalShift(x, { frames: 8 }));
});

for (const stride of [1, 2]) {
  describe(`gradients of a 3x3 convolution with stride ${stride}`, () => {
    const pad: tf.backend_util.ExplicitPadding = [[0, 0], [1, 1], [1, 1], [0, 0]]; // biome-ignore format: one pair an axis
    const slope = tf.onesLike(conv2d(x, filter, { stride, padding: 1 }));
    const attributes = { strides: [stride, stride], pad, dataFormat: 'NHWC', inputShape: x.shape };
    const run = (kernel: string, inputs: tf.NamedTensorMap, more: object) =>
      tf.engine().runKernel(kernel, inputs, { ...attributes, ...more } as unknown as tf.NamedAttrMap) as tf.Tensor;
    bench('of the input, ours (forward included)', timed(() => tf.grad((x) => conv2d(x as tf.Tensor4D, filter, { stride, padding: 1 }))(x, slope))); // biome-ignore format: one call
    bench(
      "of the input, tfjs'",
      timed(() => run(tf.Conv2DBackpropInput, { dy: slope, filter }, {})),
    );
    bench('of the filter', timed(() => run(tf.Conv2DBackpropFilter, { x, dy: slope }, { filterShape: filter.shape }))); // biome-ignore format: one call
  });
}
