import type * as tf from '@tensorflow/tfjs-core';
import { product } from '../../shape.ts';
import { runWebGPUProgram, type WebGPUProgram } from '../../webgpu/program.ts';
import {
  assertBindable,
  codeOf,
  each,
  flatDispatch,
  groupSize,
  invocationIndex,
  type TokenAttributes,
  type TokenLayout,
  tokenFunctions,
  tokenLayout,
} from './depthwiseTokensLayout.ts';

/**
 * Gradient of `depthwiseTokens` with respect to x: dy [B, h, D*L, e], filter [...kernel, C or 1, D] -> [B, N, C].
 *
 * An invocation is for one sample, one channel and the columns of x in one row over which a tile of the strided row lies.
 * It gathers what they were used for; nothing is added into memory, so the result does not depend on an order.
 */
export function inputGradient(dy: tf.Tensor, filter: tf.Tensor, attributes: TokenAttributes): tf.Tensor {
  const [batch, heads, , headSize] = dy.shape as [number, number, number, number];
  const layout = tokenLayout(batch, heads * headSize, filter.shape, attributes);
  const shape = [batch, product(attributes.grid), layout.channels];
  assertBindable('dy', dy.shape);
  assertBindable('result', shape);
  return runWebGPUProgram(inputProgram(layout, shape), [dy, filter]);
}

function inputProgram(layout: TokenLayout, shape: readonly number[]): WebGPUProgram {
  const { batch, channels, grid, kernel, stride, tile, tiles, uniforms } = layout;
  const invocations = batch * channels * product(grid.slice(0, 2)) * tiles;
  const width = kernel[2] as number;
  const columns = tile * stride;
  // Column j of x is under tap w of the window at j + half - w, where that is a multiple of the stride: window (tile +
  // o), for offsets o from `first` to `last`. All of this is known before the program runs.
  const half = (width - 1) / 2;
  const [first, last] = [Math.ceil((half - width + 1) / stride), Math.floor((columns - 1 + half) / stride)];
  const name = (offset: number) => `dy${offset - first}`;
  const uses = Array.from({ length: columns * width }, (_, at) => ({ j: Math.floor(at / width), w: at % width }))
    .filter(({ j, w }) => (j + half - w) % stride === 0)
    .map(({ j, w }) => `sum${j} += ${name((j + half - w) / stride)} * w${w};`)
    .join('\n');
  return {
    name: `depthwiseTokensInput_${codeOf(layout)}`,
    inputs: ['dy', 'weight'],
    output: { shape, dtype: 'float32' },
    uniforms: [...uniforms, { name: 'invocations', type: 'i32', value: invocations }],
    workgroupSize: [groupSize, 1, 1],
    dispatch: flatDispatch(invocations),
    declarations: tokenFunctions(layout),
    body: `
      let index = ${invocationIndex};
      if (index >= uniforms.invocations) { return; }
      let c = index % uniforms.channels;
      let rest = index / uniforms.channels;
      let tile = rest % uniforms.tiles * ${tile};
      let line = rest / uniforms.tiles; // the row of x, among those of all frames and samples
      let row = line % uniforms.height + uniforms.kernelHeight / 2;
      let frame = line / uniforms.height % uniforms.frames + uniforms.kernelFrames / 2;
      let b = line / (uniforms.height * uniforms.frames);
      let step = tokenStep();
      ${each(columns, (j) => `var sum${j} = 0.0;`)}
      for (var u = max(0, frame - uniforms.frames + 1); u <= min(uniforms.kernelFrames - 1, frame); u++) {
        for (var v = 0; v < uniforms.kernelHeight; v++) {
          let i = row - v;
          if (i < 0 || i % ${stride} != 0 || i / ${stride} >= uniforms.rows) { continue; }
          let token = tokenAt(b, c, 0, ((frame - u) * uniforms.rows + i / ${stride}) * uniforms.columns + tile);
          let taps = weightAt(u, v, c);
          for (var d = 0; d < uniforms.detectors; d++) {
            ${each(last - first + 1, (at) => {
              const column = `tile + ${at + first}`;
              const inside = `${column} >= 0 && ${column} < uniforms.columns`;
              const value = `dy[token + d * step + ${at + first} * uniforms.headSize]`;
              return `let dy${at} = select(0.0, ${value}, ${inside});`;
            })}
            ${each(width, (w) => `let w${w} = weight[taps + ${w} * weightStep() + d];`)}
            ${uses}
          }
        }
      }
      let left = tile * ${stride};
      let start = (line * uniforms.width + left) * uniforms.channels + c;
      ${each(columns, (j) => `if (left + ${j} < uniforms.width) { result[start + ${j} * uniforms.channels] = sum${j}; }`)}`,
  };
}
