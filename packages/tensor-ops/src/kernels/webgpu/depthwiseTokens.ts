import type * as tf from '@tensorflow/tfjs-core';
import { product } from '../../shape.ts';
import { runWebGPUProgram, type WebGPUProgram } from '../../webgpu/program.ts';
import { DEPTHWISE_TOKENS } from '../names.ts';
import { filterGradient } from './depthwiseTokensFilter.ts';
import { inputGradient } from './depthwiseTokensInput.ts';
import {
  assertBindable,
  codeOf,
  each,
  flatDispatch,
  groupSize,
  invocationIndex,
  readRow,
  type TokenAttributes,
  type TokenLayout,
  tokenFunctions,
  tokenKernel,
  tokenLayout,
} from './depthwiseTokensLayout.ts';

/**
 * Depthwise convolution with multiplier D and the head split in one program: x [B, N, C], filter [...kernel, C or 1, D]
 * -> [B, h, D*L, C/h].
 *
 * An invocation is for one sample, one channel, a few neighbours in a strided row and a few detectors, which share what it
 * reads. Neighbouring invocations are neighbouring channels, so that they read and write neighbouring numbers.
 */
export const depthwiseTokens = tokenKernel<'x' | 'filter', TokenAttributes>(
  DEPTHWISE_TOKENS,
  ({ x, filter }, attributes) => {
    const [batch, , channels] = x.shape as [number, number, number];
    const layout = tokenLayout(batch, channels, filter.shape, attributes);
    const shape = [batch, layout.heads, layout.detectors * product(layout.strided), channels / layout.heads];
    assertBindable('x', x.shape);
    assertBindable('result', shape);
    return runWebGPUProgram(forwardProgram(layout, shape), [x, filter]);
  },
);

/** Its gradients, each computed where it is asked for. */
export const depthwiseTokensGradient: tf.GradConfig = {
  kernelName: DEPTHWISE_TOKENS,
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, saved, attrs) => {
    const [x, filter] = saved as [tf.Tensor, tf.Tensor];
    const attributes = attrs as unknown as TokenAttributes;
    return {
      x: () => inputGradient(dy as tf.Tensor, filter, attributes),
      filter: () => filterGradient(x, dy as tf.Tensor, filter.shape, attributes),
    };
  },
};

function forwardProgram(layout: TokenLayout, shape: readonly number[]): WebGPUProgram {
  const { batch, channels, detectors, kernel, lanes, strided, stride, tile, tiles, uniforms } = layout;
  const invocations = batch * channels * (detectors / lanes) * product(strided.slice(0, 2)) * tiles;
  return {
    name: `depthwiseTokens_${codeOf(layout)}`,
    inputs: ['x', 'weight'],
    output: { shape, dtype: 'float32' },
    uniforms: [...uniforms, { name: 'invocations', type: 'i32', value: invocations }],
    workgroupSize: [groupSize, 1, 1],
    dispatch: flatDispatch(invocations),
    declarations: tokenFunctions(layout),
    body: `
      let index = ${invocationIndex};
      if (index >= uniforms.invocations) { return; }
      let c = index % uniforms.channels;
      var rest = index / uniforms.channels;
      let tile = rest % uniforms.tiles * ${tile};
      rest = rest / uniforms.tiles;
      let i = rest % uniforms.rows;
      let t = rest / uniforms.rows % uniforms.frames;
      rest = rest / (uniforms.rows * uniforms.frames);
      let d = rest % (uniforms.detectors / ${lanes}) * ${lanes};
      let b = rest / (uniforms.detectors / ${lanes});

      // Where the first tap lies, maybe outside; then the taps that lie inside.
      let frame = t - uniforms.kernelFrames / 2;
      let row = i * ${stride} - uniforms.kernelHeight / 2;
      let endU = min(uniforms.kernelFrames, uniforms.frames - frame);
      let endV = min(uniforms.kernelHeight, uniforms.height - row);
      ${each(tile, (j) => each(lanes, (lane) => `var sum${j}_${lane} = 0.0;`))}
      for (var u = max(0, -frame); u < endU; u++) {
        for (var v = max(0, -row); v < endV; v++) {
          let line = (b * uniforms.frames + frame + u) * uniforms.height + row + v;
          ${readRow(layout)}
          let taps = weightAt(u, v, c) + d;
          ${each(kernel[2] as number, (w) =>
            each(
              lanes,
              (lane) => `
          let w${w}_${lane} = weight[taps + ${w} * weightStep() + ${lane}];
          ${each(tile, (j) => `sum${j}_${lane} += x${j * stride + w} * w${w}_${lane};`)}`,
            ),
          )}
        }
      }
      let first = tokenAt(b, c, d, (t * uniforms.rows + i) * uniforms.columns + tile);
      let step = tokenStep();
      ${each(
        tile,
        (j) => `if (tile + ${j} < uniforms.columns) {
        ${each(lanes, (lane) => `result[first + ${j} * uniforms.headSize + ${lane} * step] = sum${j}_${lane};`)}
      }`,
      )}`,
  };
}
